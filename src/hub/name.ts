/** Names of what is on the hub: owner/name, @revision, :path. Nothing in them leads out of a folder. */

import { basename, extname, resolve } from 'node:path';

export interface HubName {
  readonly kind: 'model' | 'dataset';
  /** owner/name */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** File, folder or split in it; "" = none is named. */
  readonly path: string;
}

/** Whether it ends as files do, and hardly ever repositories: `data/train.jsonl` is one, `owner/name:train.jsonl` is not. */
export const isFileName = (text: string): boolean =>
  !/[@:]/.test(text) &&
  /\.(jsonl?|parquet|arrows?|feather|csv|tsv|txt|ya?ml|gz|zst|zip|gguf|safetensors|bin)$/i.test(text);

/** @returns undefined when it is none, such as "models/a/b", "./a/b" or "data/train.jsonl" */
export function parseHubName(text: string, kind: HubName['kind']): HubName | undefined {
  const [, id = '', revision, path] = /^([^@:]+)(?:@([^:]+))?(?::(.+))?$/s.exec(text) ?? [];
  if (!isId(id) || isFileName(text)) return undefined;
  if (revision !== undefined && !isRevision(revision)) return undefined;
  if (path !== undefined && !isInnerPath(path)) return undefined;
  return { kind, id, revision: revision ?? 'main', path: path ?? '' };
}

/** "data set owner/name" */
export const spoken = ({ kind, id }: HubName): string => `${kind === 'dataset' ? 'data set' : kind} ${id}`;

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

/**
 * What a data set is called where its path would be too long: "data/aime24.jsonl" is aime24, and the part of a data set of the hub is
 * called by both, MATH-500_test, gsm8k_main_test.
 */
export function dataName(path: string): string {
  const name = hubNameOf(resolve(path));
  if (name === undefined) return basename(path, extname(path));
  const part = name.path.replace(/^data\//, '').replace(/(?:-\d{5}-of-\d{5})?\.\w+$/, '');
  return [basename(name.id), ...part.split('/')].filter((word) => word !== '').join('_');
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
