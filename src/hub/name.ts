/** Names of what is on the hub: owner/name, @revision, :path. Nothing in them leads out of a folder. */

export interface HubName {
  readonly kind: 'model' | 'dataset';
  /** owner/name */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** File, folder or split in it; "" = none is named. */
  readonly path: string;
}

/** What stands at the end of a file's name, and hardly ever of a repository's: `data/train.jsonl` means a file. */
const fileLike = /\.(jsonl?|parquet|arrows?|feather|csv|tsv|txt|ya?ml|gz|zst|zip|gguf|safetensors|bin)$/i;

/** @returns undefined when it is none, such as "models/a/b", "./a/b" or "data/train.jsonl" */
export function parseHubName(text: string, kind: HubName['kind']): HubName | undefined {
  const [, id = '', revision, path] = /^([^@:]+)(?:@([^:]+))?(?::(.+))?$/s.exec(text) ?? [];
  if (!isId(id) || (revision === undefined && path === undefined && fileLike.test(id))) return undefined;
  if (revision !== undefined && !isRevision(revision)) return undefined;
  if (path !== undefined && !isInnerPath(path)) return undefined;
  return { kind, id, revision: revision ?? 'main', path: path ?? '' };
}

/** "owner/name@revision:path" */
export function hubText({ id, revision, path }: HubName): string {
  return `${id}@${revision}${path === '' ? '' : `:${path}`}`;
}

/**
 * The name of something in the cache, with its commit: what gives the same files again, here and elsewhere.
 * @param path absolute; undefined comes back when it is not in a snapshot
 */
export function hubNameOf(path: string): HubName | undefined {
  const match = /\/(model|dataset)s--([^/]+?)--([^/]+)\/snapshots\/([0-9a-f]{40})(?:\/(.*))?$/.exec(path);
  if (match === null) return undefined;
  const [, kind, owner, name, revision = '', inner = ''] = match;
  return { kind: kind as HubName['kind'], id: `${owner}/${name}`, revision, path: inner };
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** As the hub has them: https://huggingface.co/docs/huggingface_hub, validate_repo_id. */
function isId(id: string): boolean {
  const parts = id.split('/');
  return (
    parts.length === 2 && parts.every((part) => /^\w(?:[\w.-]{0,94}\w)?$/.test(part)) && !/--|\.\.|\.git$/.test(id)
  );
}

/** A file below refs/ is called so. */
const isRevision = (revision: string): boolean =>
  revision.length <= 200 &&
  revision.split('/').every((part) => /^\w[\w.+-]*$/.test(part) && !/\.\.|\.lock$/.test(part));

/**
 * Whether a name that the hub lists stays within its folder, under the rules of POSIX and of Windows: relative, no "..", no drive, no
 * backslash, no control character.
 */
export function isInnerPath(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}]|^[A-Za-z]:/u.test(part));
}
