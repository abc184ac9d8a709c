/** What the hub lists of a repository at one commit. It never changes, so it is kept with the cache. */
import { LimrError } from '../errors.js';
import { isObject, type Json } from '../json.js';
import { isInnerPath } from './name.js';

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** sha1 that git gives the file; of a large file, of the pointer to it. */
  readonly blobId: string;
  /** sha256 of a large file. */
  readonly sha256?: string;
  readonly xetHash?: string;
}

/** What the cache calls the file's content: the sha256 of a large file, git's sha1 of another. */
export const blobName = ({ sha256, blobId }: HubFile): string => sha256 ?? blobId;

/**
 * @param source says whose list it is
 * @returns the files, by their paths
 * @throws {LimrError} LIMR_FORMAT for a name that leads out of the folder, and for sums and sizes that are none
 */
export function checkedTree(files: readonly HubFile[], source: string): readonly HubFile[] {
  for (const { path, size, blobId, sha256 } of files) {
    if (!isInnerPath(path)) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${source} lists the file ${JSON.stringify(path)}, which leads out of its folder`,
        'Do not use it: nobody names a file so by mistake.',
      );
    }
    const isSound = Number.isSafeInteger(size) && size >= 0 && /^[0-9a-f]{40}$/.test(blobId);
    if (!isSound || (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))) {
      throw new LimrError('LIMR_FORMAT', `${source} lists ${path} without a size and a checksum`, 'Check HF_ENDPOINT.');
    }
  }
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** As huggingface_hub keeps it in trees/<commit>.json. */
export function treeJson(files: readonly HubFile[]): Json {
  return {
    format_version: 1,
    files: Object.fromEntries(
      files.map(({ path, size, blobId, sha256, xetHash }) => [
        path,
        {
          size,
          blob_id: blobId,
          ...(sha256 === undefined ? {} : { lfs_sha256: sha256, lfs_size: size }),
          ...(xetHash === undefined ? {} : { xet_hash: xetHash }),
        },
      ]),
    ),
  };
}

/** @returns undefined for another format: the hub is asked again. @throws {LimrError} as `checkedTree` */
export function readTreeJson(json: Json, source: string): readonly HubFile[] | undefined {
  if (!isObject(json) || json.format_version !== 1 || !isObject(json.files)) return undefined;
  const files = Object.entries(json.files).map(([path, entry]): HubFile => {
    const { size, blob_id, lfs_sha256, xet_hash } = isObject(entry) ? entry : {};
    return {
      path,
      size: typeof size === 'number' ? size : Number.NaN,
      blobId: String(blob_id),
      ...(typeof lfs_sha256 === 'string' ? { sha256: lfs_sha256 } : {}),
      ...(typeof xet_hash === 'string' ? { xetHash: xet_hash } : {}),
    };
  });
  return checkedTree(files, source);
}
