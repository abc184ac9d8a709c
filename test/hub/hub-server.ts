/**
 * A hub on the loopback device: the routes of https://huggingface.co/docs/hub/api that a reader needs, with large files behind a
 * redirection to another origin, as the hub has them. Faults are set per path.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedRepository {
  readonly kind: 'model' | 'dataset';
  /** By path; those longer than 1,000 bytes are stored as large files. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Branches and tags; main is there anyway. */
  readonly revisions?: readonly string[];
  /** What a list claims beside the files. */
  readonly listed?: readonly object[];
  /** Who may read it. */
  readonly access?: 'public' | 'gated' | 'private';
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** At the origin of large files. */
  readonly isStore: boolean;
}

/** What goes wrong with the contents of a file, once for each element. */
export type Fault =
  | { readonly cutAfter: number }
  | { readonly status: number; readonly headers?: Record<string, string> }
  | { readonly corrupt: true }
  | { readonly ignoreRange: true }
  | { readonly wrongStart: true }
  | { readonly silence: true }
  | { readonly extra: string };

export const goodToken = 'hf_good';
const largeBytes = 1000;

export class HubServer {
  readonly seen: Seen[] = [];
  readonly faults = new Map<string, Fault[]>();
  /** Awaited before the bytes of a file go out. */
  beforeContent: (path: string) => Promise<void> | void = () => {};
  /** Awaited before a connection is cut, with the end of what was sent: a client drops what it has not read by then. */
  beforeCut: (end: number) => Promise<void> | void = () => {};
  /** Entries of one page of a list. */
  pageSize = 1000;
  apiStatus: number[] = [];
  private readonly repositories = new Map<string, ServedRepository>();
  private readonly hub: Server;
  private readonly store: Server;

  private constructor() {
    this.hub = createServer((request, response) => this.guarded(request, response, false));
    this.store = createServer((request, response) => this.guarded(request, response, true));
  }

  static async open(): Promise<HubServer> {
    const server = new HubServer();
    for (const part of [server.hub, server.store]) await once(part.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`;
  }

  private get storeOrigin(): string {
    return `http://127.0.0.1:${(this.store.address() as AddressInfo).port}`;
  }

  add(id: string, repository: ServedRepository): void {
    this.repositories.set(`${repository.kind}s/${id}`, repository);
  }

  /** The commit of a repository as it is now. */
  commit(id: string, kind: 'model' | 'dataset' = 'model'): string {
    const repository = this.repositories.get(`${kind}s/${id}`)!;
    const hash = createHash('sha1').update(id);
    for (const [path, content] of Object.entries(repository.files)) hash.update(path).update(content);
    return hash.digest('hex');
  }

  /** Requests for the content of a file, by their ranges; "" = for all of it. */
  rangesOf(path: string): string[] {
    const isContent = (seen: Seen) => seen.path.endsWith(`/${path}`) && seen.path.includes('/resolve/');
    const isLarge = this.seen.some((seen) => isContent(seen) && seen.isStore);
    return this.seen.filter((seen) => isContent(seen) && seen.isStore === isLarge).map(({ range }) => range ?? '');
  }

  async close(): Promise<void> {
    for (const part of [this.hub, this.store]) {
      part.closeAllConnections();
      part.close();
      await once(part, 'close');
    }
  }

  private guarded(request: IncomingMessage, response: ServerResponse, isStore: boolean): void {
    this.answer(request, response, isStore).catch((error: unknown) => response.destroy(error as Error));
  }

  private async answer(request: IncomingMessage, response: ServerResponse, isStore: boolean): Promise<void> {
    const url = new URL(request.url ?? '/', this.endpoint);
    const { range, authorization } = request.headers;
    const path = decodeURIComponent(url.pathname);
    this.seen.push({ method: request.method ?? '', path, range, authorization, isStore });
    const [, api, kinds = 'models', id = '', verb = '', rest = ''] =
      /^\/(api\/)?(?:(models|datasets)\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(path) ?? [];
    const repository = this.repositories.get(`${kinds}/${id}`);
    const refusal =
      repository === undefined ? { status: 401, code: 'RepoNotFound' } : access(repository, authorization);
    if (!isStore && refusal !== undefined) {
      response.writeHead(authorization !== undefined && refusal.status === 401 ? 404 : refusal.status, {
        'x-error-code': refusal.code,
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ error: 'refused' }));
      return;
    }
    const failing = api === undefined ? undefined : this.apiStatus.shift();
    if (failing !== undefined) {
      response.writeHead(failing).end('not now');
      return;
    }
    const commit = this.commit(id, repository!.kind);
    const [revision = '', ...inner] = verb === 'revision' ? [rest] : rest.split('/');
    if (![commit, 'main', ...(repository!.revisions ?? [])].includes(revision)) {
      response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
      return;
    }
    if (verb === 'revision')
      this.json(response, { _id: '1', id, sha: commit, lastModified: '2025-01-01T00:00:00.000Z' });
    else if (verb === 'tree') this.tree(url, repository!, response);
    else await this.content({ repository: repository!, path: inner.join('/'), commit, isStore, range, url }, response);
  }

  private json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  }

  private tree(url: URL, repository: ServedRepository, response: ServerResponse): void {
    const folders = new Set(
      Object.keys(repository.files).flatMap((path) =>
        path.includes('/') ? [path.slice(0, path.lastIndexOf('/'))] : [],
      ),
    );
    const entries = [
      ...Array.from(folders, (path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })),
      ...Object.entries(repository.files).map(([path, content]) => entryOf(path, bytesOf(content))),
      ...(repository.listed ?? []),
    ];
    const first = Number(url.searchParams.get('cursor') ?? 0);
    const next = new URL(url);
    next.searchParams.set('cursor', String(first + this.pageSize));
    const link = first + this.pageSize < entries.length ? { link: `<${next.href}>; rel="next"` } : undefined;
    this.json(response, entries.slice(first, first + this.pageSize), link);
  }

  private async content(
    asked: {
      repository: ServedRepository;
      path: string;
      commit: string;
      isStore: boolean;
      range: string | undefined;
      url: URL;
    },
    response: ServerResponse,
  ): Promise<void> {
    const { repository, path, commit, isStore, range, url } = asked;
    const content = repository.files[path];
    if (content === undefined) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      return;
    }
    const bytes = bytesOf(content);
    const isLarge = bytes.length > largeBytes;
    const headers = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' };
    if (isLarge && !isStore) {
      const linked = { 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': String(bytes.length) };
      response.writeHead(302, { ...headers, ...linked, location: this.storeOrigin + url.pathname }).end();
      return;
    }
    const etag = isLarge ? sha256(bytes) : gitSum(bytes);
    await this.send(path, bytes, range, { ...headers, etag: `"${etag}"` }, response);
  }

  private async send(
    path: string,
    bytes: Uint8Array,
    range: string | undefined,
    headers: Record<string, string>,
    response: ServerResponse,
  ): Promise<void> {
    const fault = this.faults.get(path)?.shift();
    if (fault !== undefined && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const wanted = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const ignores = fault !== undefined && 'ignoreRange' in fault;
    const start = ignores ? 0 : wanted;
    const sent = Buffer.from(bytes.subarray(start));
    if (fault !== undefined && 'corrupt' in fault) sent[sent.length >> 1]! ^= 1;
    const extra = fault !== undefined && 'extra' in fault ? fault.extra : '';
    const claimed = fault !== undefined && 'wrongStart' in fault ? start + 1 : start;
    response.writeHead(range === undefined || ignores ? 200 : 206, {
      ...headers,
      'content-length': String(sent.length + extra.length),
      ...(range === undefined || ignores
        ? {}
        : { 'content-range': `bytes ${claimed}-${bytes.length - 1}/${bytes.length}` }),
    });
    await this.beforeContent(path);
    if (fault !== undefined && 'silence' in fault) {
      response.write(sent.subarray(0, 1));
      return;
    }
    if (fault === undefined || !('cutAfter' in fault)) {
      response.end(Buffer.concat([sent, Buffer.from(extra)]));
      return;
    }
    response.write(sent.subarray(0, fault.cutAfter));
    await this.beforeCut(start + fault.cutAfter);
    response.socket?.end();
  }
}

function access(
  { access }: ServedRepository,
  authorization: string | undefined,
): { readonly status: number; readonly code: string } | undefined {
  if (access === undefined || access === 'public' || authorization === `Bearer ${goodToken}`) return undefined;
  if (access === 'gated') return { status: authorization === undefined ? 401 : 403, code: 'GatedRepo' };
  return { status: 401, code: 'RepoNotFound' };
}

function entryOf(path: string, bytes: Uint8Array): object {
  const common = { type: 'file', path, size: bytes.length };
  if (bytes.length <= largeBytes) return { ...common, oid: gitSum(bytes) };
  const sum = sha256(bytes);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sum}\nsize ${bytes.length}\n`;
  return {
    ...common,
    oid: gitSum(Buffer.from(pointer)),
    lfs: { oid: sum, size: bytes.length, pointerSize: pointer.length },
  };
}

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As `git hash-object` has it. */
export const gitSum = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
