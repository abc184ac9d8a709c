/** Which files come, where they lie, and what the hub's refusals and absences become. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveDataset, resolveModel } from '../../src/hub/index.js';
import { gitSum, goodToken } from './hub-server.js';
import { listFiles, openStage, type Stage, someBytes } from './support.js';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const shard = (i: number) => `model-0000${i}-of-00002.safetensors`;
const index = JSON.stringify({ weight_map: { a: shard(1), b: shard(2), c: shard(1) } });
const model = {
  'config.json': '{"model_type": "qwen2"}',
  'tokenizer.json': '{"model": {}}',
  'generation_config.json': '{}',
  'chat_template.jinja': '{{ messages }}',
  'model.safetensors.index.json': index,
  [shard(1)]: someBytes(30_000, 1),
  [shard(2)]: someBytes(20_000, 2),
  'README.md': '# no',
  'pytorch_model.bin': someBytes(5000, 3),
  'training_args.bin': 'pickled',
  'onnx/model.onnx': 'no',
  'original/model.safetensors': 'no',
  'consolidated.safetensors': someBytes(5000, 4),
};
const wanted = [
  'chat_template.jinja',
  'config.json',
  'generation_config.json',
  shard(1),
  shard(2),
  'model.safetensors.index.json',
  'tokenizer.json',
];

describe('a model', () => {
  beforeEach(() => stage.hub.add('o/m', { kind: 'model', files: model, revisions: ['v1', 'refs/pr/1'] }));

  it('comes with the files that are needed, in the layout of the field', async () => {
    const folder = await resolveModel('o/m', stage.options());
    const commit = stage.hub.commit('o/m');
    expect(folder).toBe(join(stage.cache, 'models--o--m/snapshots', commit));
    expect(listFiles(folder)).toEqual(wanted);
    for (const file of wanted) expect(readFileSync(join(folder, file))).toEqual(Buffer.from(model[file]!));
    expect(readlinkSync(join(folder, 'config.json'))).toBe(`../../blobs/${gitSum(Buffer.from(model['config.json']))}`);
    expect(readFileSync(join(stage.cache, 'models--o--m/refs/main'), 'utf8')).toBe(commit);
    const outside = stage
      .files()
      .filter((path) => !/^models--o--m\/(blobs\/[0-9a-f]{40,64}|snapshots\/.*)$/.test(path));
    expect(outside).toEqual(['models--o--m/refs/main', `models--o--m/trees/${commit}.json`]);
  });

  it('asks the second time for the commit alone, and for a commit not at all', async () => {
    const folder = await resolveModel('o/m@v1', stage.options());
    stage.hub.seen.length = 0;
    expect(await resolveModel('o/m@v1', stage.options())).toBe(folder);
    expect(stage.hub.seen.map(({ path }) => path)).toEqual(['/api/models/o/m/revision/v1']);
    stage.hub.seen.length = 0;
    expect(await resolveModel(`o/m@${stage.hub.commit('o/m')}`, stage.options())).toBe(folder);
    expect(stage.hub.seen).toEqual([]);
  });

  it('shares the contents of revisions that have the same', async () => {
    const first = await resolveModel('o/m', stage.options());
    stage.hub.add('o/m', { kind: 'model', files: { ...model, 'config.json': '{"model_type": "llama"}' } });
    const seen: number[] = [];
    const second = await resolveModel('o/m', stage.options({ onDownload: ({ totalBytes }) => seen.push(totalBytes) }));
    expect(second).not.toBe(first);
    expect(readFileSync(join(second, 'config.json'), 'utf8')).toContain('llama');
    expect(readFileSync(join(first, 'config.json'), 'utf8')).toContain('qwen2');
    expect(new Set(seen)).toEqual(new Set(['{"model_type": "llama"}'.length]));
  });

  it('takes a name with slashes as a revision', async () => {
    expect(listFiles(await resolveModel('o/m@refs/pr/1', stage.options()))).toEqual(wanted);
    expect(readFileSync(join(stage.cache, 'models--o--m/refs/refs/pr/1'), 'utf8')).toBe(stage.hub.commit('o/m'));
  });

  it('a list of several pages is read to its end', async () => {
    stage.hub.pageSize = 3;
    expect(listFiles(await resolveModel('o/m', stage.options()))).toEqual(wanted);
    expect(stage.hub.seen.filter(({ path }) => path.includes('/tree/')).length).toBe(5);
  });

  it('one file of it can be a GGUF', async () => {
    stage.hub.add('o/g', { kind: 'model', files: { 'x.Q8_0.gguf': someBytes(3000), 'y.gguf': 'y' } });
    const path = await resolveModel('o/g:x.Q8_0.gguf', stage.options());
    expect(readFileSync(path)).toEqual(someBytes(3000));
    await expect(resolveModel('o/g:z.gguf', stage.options())).rejects.toMatchObject({
      code: 'LIMR_IO',
      hint: 'It has x.Q8_0.gguf, y.gguf.',
    });
  });

  it('a failure shows nothing in the snapshot', async () => {
    stage.hub.faults.set(shard(2), [{ corrupt: true }, { corrupt: true }]);
    await expect(resolveModel('o/m', stage.options())).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    expect(stage.files().filter((path) => !path.includes('/blobs/'))).toEqual([]);
    expect(listFiles(await resolveModel('o/m', stage.options()))).toEqual(wanted);
  });

  it.each([
    [
      'no weights but pickled ones',
      { 'config.json': '{}', 'pytorch_model.bin': 'x' },
      'LIMR_UNSUPPORTED',
      'such as pytorch_model.bin',
      'can run code',
    ],
    ['no weights but GGUF', { 'a.gguf': 'x' }, 'LIMR_UNSUPPORTED', 'such as a.gguf', 'model import'],
    ['no config.json', { 'model.safetensors': 'x' }, 'LIMR_FORMAT', 'has no config.json', ''],
    [
      'an index without its shard',
      { 'config.json': '{}', 'model.safetensors.index.json': index },
      'LIMR_FORMAT',
      `has no ${shard(1)}`,
      '',
    ],
    [
      'an index that leads elsewhere',
      { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map": {"a": "../../x.safetensors"}}' },
      'LIMR_FORMAT',
      'no weight_map of .safetensors',
      '',
    ],
    [
      'an index that is none',
      { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map": ' },
      'LIMR_FORMAT',
      'is not JSON',
      '',
    ],
  ])('with %s is refused', async (_, files, code, message, hint) => {
    stage.hub.add('o/bad', { kind: 'model', files });
    await expect(resolveModel('o/bad', stage.options())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });
});

describe('names that lead out of the folder', () => {
  it.each(['../x.jsonl', 'data/../../x.jsonl', '/tmp/x.jsonl', 'C:\\x.jsonl', 'a\\..\\x.jsonl'])(
    '%j is refused, whatever is asked for',
    async (path) => {
      const listed = [{ type: 'file', path, size: 1, oid: '0'.repeat(40) }];
      stage.hub.add('o/evil', { kind: 'dataset', files: { 'train.jsonl': '{}' }, listed });
      await expect(resolveDataset('o/evil', stage.options())).rejects.toMatchObject({
        code: 'LIMR_FORMAT',
        message: expect.stringContaining(`${JSON.stringify(path)}, which leads out of its folder`),
      });
      expect(stage.files()).toEqual([]);
    },
  );

  it.each([
    ['a sum', { type: 'file', path: 'x.jsonl', size: 1, oid: '../../../x' }],
    ['a size', { type: 'file', path: 'x.jsonl', size: -1, oid: '0'.repeat(40) }],
    [
      'a sha256',
      { type: 'file', path: 'x.jsonl', size: 1, oid: '0'.repeat(40), lfs: { oid: '../y', size: 1, pointerSize: 1 } },
    ],
  ])('%s that is none is refused', async (_, entry) => {
    stage.hub.add('o/evil', { kind: 'dataset', files: {}, listed: [entry] });
    await expect(resolveDataset('o/evil', stage.options())).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    expect(stage.files()).toEqual([]);
  });

  it('a list in the cache is no more trusted', async () => {
    stage.hub.add('o/n', { kind: 'dataset', files: { 'train.jsonl': '{}' } });
    const commit = stage.hub.commit('o/n', 'dataset');
    const file = join(stage.cache, `datasets--o--n/trees/${commit}.json`);
    mkdirSync(dirname(file), { recursive: true });
    const files = { '../x.jsonl': { size: 1, blob_id: '0'.repeat(40) } };
    writeFileSync(file, JSON.stringify({ format_version: 1, files }));
    await expect(resolveDataset('o/n', stage.options())).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    writeFileSync(file, JSON.stringify({ format_version: 2 })); // of a newer tool: the hub is asked
    expect(await resolveDataset('o/n', stage.options())).toMatch(/train\.jsonl$/);
  });
});

describe('a data set', () => {
  const rows = '{"prompt": "a", "answer": "1"}\n';
  const files = {
    'data/train-00000-of-00002.jsonl': rows,
    'data/train-00001-of-00002.jsonl': rows + rows,
    'test.json': '[]',
  };

  it('comes as what readers take, and no more of it than is named', async () => {
    stage.hub.add('o/n', { kind: 'dataset', files });
    const commit = stage.hub.commit('o/n', 'dataset');
    const snapshot = join(stage.cache, 'datasets--o--n/snapshots', commit);
    expect(await resolveDataset('o/n:test.json', stage.options())).toBe(join(snapshot, 'test.json'));
    expect(listFiles(snapshot)).toEqual(['test.json']);
    expect(await resolveDataset('o/n', stage.options())).toBe(join(snapshot, 'data/train'));
    expect(listFiles(snapshot)).toEqual(Object.keys(files));
    expect(stage.hub.seen.some(({ path }) => path.startsWith('/datasets/o/n/resolve/'))).toBe(true);
  });

  it('what is here goes before the hub', async () => {
    const here = join(stage.cache, 'here');
    mkdirSync(join(here, 'o/n'), { recursive: true });
    writeFileSync(join(here, 'o/train-00000-of-00001.jsonl'), rows);
    const before = process.cwd();
    process.chdir(here);
    try {
      expect(await resolveDataset('o/n', stage.options())).toBe('o/n');
      expect(await resolveModel('o/n', stage.options())).toBe('o/n');
      expect(await resolveDataset('o/train', stage.options())).toBe('o/train'); // a split: there is no such folder
      await expect(resolveDataset('o/other', stage.options())).rejects.toThrow(
        'there is no data set o/other on the hub',
      );
    } finally {
      process.chdir(before);
    }
    expect(stage.hub.seen.map(({ path }) => path)).toEqual(['/api/datasets/o/other/revision/main']);
  });
});

describe('refusals', () => {
  const tiny = { kind: 'model', files: { 'config.json': '{}', 'model.safetensors': 'x' } } as const;
  const refused = async (name: string, more: Parameters<Stage['options']>[0] = {}) =>
    resolveModel(name, stage.options(more)).then(
      () => 'no error',
      ({ code, message, hint }) => `${code} ${message} | ${hint}`,
    );

  it('say what is neither here nor there', async () => {
    expect(await refused('o/nothing')).toMatch(
      /^LIMR_IO there is no model o\/nothing on the hub at .*, or it is private \(401\) \(and there is no folder o\/nothing here\) \| Check the name; a private one needs HF_TOKEN/,
    );
    expect(await refused('o/nothing', { token: goodToken })).toMatch(/\(404\).*\| Check the name\.$/);
    expect(await refused('nothing')).toBe(
      'LIMR_IO there is no folder nothing, and it is no name on the hub either | Point at a folder in Hugging Face layout, or name a model as owner/name or owner/name@revision.',
    );
    await expect(resolveDataset('nothing', stage.options())).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: 'there is no file or folder nothing, and it is no name on the hub either',
    });
  });

  it('say how to be let in', async () => {
    stage.hub.add('o/gated', { ...tiny, access: 'gated' });
    stage.hub.add('o/private', { ...tiny, access: 'private' });
    expect(await refused('o/gated')).toMatch(
      /somebody without a token \(401.*\| Accept its conditions at .*\/o\/gated, and log in: HF_TOKEN/,
    );
    expect(await refused('o/gated', { token: 'hf_bad' })).toMatch(/the owner of this token \(403/);
    expect(await refused('o/private')).toMatch(/or it is private \(401\)/);
    expect(await refused('o/gated', { token: goodToken })).toBe('no error');
    expect(await refused('o/private', { token: goodToken })).toBe('no error');
  });

  it('the token goes to the hub alone, not to where it sends us', async () => {
    stage.hub.add('o/private', { kind: 'model', files: { ...model, 'model.safetensors': 'x' }, access: 'private' });
    await resolveModel('o/private', stage.options({ token: goodToken }));
    const at = (isStore: boolean) =>
      new Set(stage.hub.seen.filter((seen) => seen.isStore === isStore).map((seen) => seen.authorization));
    expect(at(false)).toEqual(new Set([`Bearer ${goodToken}`]));
    expect(at(true)).toEqual(new Set([undefined]));
  });

  it('a revision that is not there', async () => {
    stage.hub.add('o/m', tiny);
    expect(await refused('o/m@v9')).toMatch(/^LIMR_IO model o\/m has no revision "v9".*\/o\/m\/tree lists/);
  });

  it('a server that has trouble is asked again, and named when it stays', async () => {
    stage.hub.add('o/m', tiny);
    stage.hub.apiStatus = [503, 500];
    expect(await refused('o/m')).toBe('no error');
    stage.hub.apiStatus = [503, 503, 503];
    expect(await refused('o/m', { cache: join(stage.cache, 'empty') })).toMatch(
      /^LIMR_IO the hub at .* answered 503.*\| Try again later\./,
    );
  });

  it.each([
    ['<html>Welcome</html>', 'does not answer as the hub does'],
    ['{}', 'gives no commit of o/m@main'],
    ['{"sha": "../../../x"}', 'gives no commit of o/m@main'],
  ])('an endpoint that answers %j is no hub', async (text, message) => {
    const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await refused('o/m', { endpoint })).toMatch(new RegExp(`^LIMR_FORMAT .*${message}`));
    server.closeAllConnections();
    server.close();
    expect(stage.files()).toEqual([]);
  });
});

describe('without the hub', () => {
  const files = { 'config.json': '{}', 'model.safetensors': someBytes(3000) };
  const closed = 'http://127.0.0.1:9'; // discard: nobody listens
  beforeEach(() => stage.hub.add('o/m', { kind: 'model', files }));

  it('an error names what cannot be reached, and that there is no such folder', async () => {
    await expect(resolveModel('o/m', stage.options({ endpoint: closed }))).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/^cannot reach http:\/\/127\.0\.0\.1:9: .*there is no folder o\/m here/),
      hint: expect.stringContaining('Check the network'),
    });
    expect(stage.files()).toEqual([]);
  });

  it('the cache does, and a remark says so', async () => {
    const folder = await resolveModel('o/m', stage.options());
    const remarks: string[] = [];
    const options = stage.options({ endpoint: closed, remark: (text) => remarks.push(text) });
    expect(await resolveModel('o/m', options)).toBe(folder);
    expect(remarks).toEqual([
      expect.stringMatching(/^cannot reach .*; o\/m is the cache's, as of commit [0-9a-f]{12}$/),
    ]);
  });

  it('HF_HUB_OFFLINE asks nobody', async () => {
    const offline = stage.options({ offline: true });
    await expect(resolveModel('o/m', offline)).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/o\/m@main is not in the cache .*HF_HUB_OFFLINE is set/),
    });
    expect(stage.hub.seen).toEqual([]);
    const folder = await resolveModel('o/m', stage.options());
    stage.hub.seen.length = 0;
    expect(await resolveModel('o/m', offline)).toBe(folder);
    expect(await resolveModel(`o/m@${stage.hub.commit('o/m')}`, offline)).toBe(folder);
    rmSync(join(folder, 'model.safetensors'));
    rmSync(join(stage.cache, 'models--o--m/blobs'), { recursive: true });
    await expect(resolveModel('o/m', offline)).rejects.toThrow(
      'config.json, model.safetensors of o/m@main is not in the cache',
    );
    expect(stage.hub.seen).toEqual([]);
  });

  it('a snapshot that another tool brought does, without its list', async () => {
    const commit = 'b'.repeat(40);
    const root = join(stage.cache, 'models--o--py');
    for (const [file, content] of Object.entries(files)) {
      const sum = gitSum(Buffer.from(content));
      for (const folder of ['blobs', 'refs', `snapshots/${commit}`]) mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, 'blobs', sum), content);
      symlinkSync(`../../blobs/${sum}`, join(root, `snapshots/${commit}`, file));
    }
    writeFileSync(join(root, 'refs/main'), commit);
    const offline = stage.options({ offline: true });
    expect(await resolveModel('o/py', offline)).toBe(join(root, 'snapshots', commit));
    rmSync(join(root, 'snapshots', commit, 'model.safetensors'));
    await expect(resolveModel('o/py', offline)).rejects.toMatchObject({ code: 'LIMR_UNSUPPORTED' });
  });
});

describe('several at the same time', () => {
  beforeEach(() => stage.hub.add('o/m', { kind: 'model', files: model }));
  const contents = (file: string) => stage.hub.rangesOf(file).length;

  it('in one process download once', async () => {
    const folders = await Promise.all([1, 2, 3].map(() => resolveModel('o/m', stage.options())));
    expect(new Set(folders).size).toBe(1);
    expect(listFiles(folders[0]!)).toEqual(wanted);
    expect(wanted.map(contents)).toEqual(wanted.map(() => 1));
  });

  it('processes download once, and all have it', async () => {
    stage.hub.beforeContent = () => new Promise((resolve) => setTimeout(resolve, 30));
    const child = fileURLToPath(new URL('resolve-child.ts', import.meta.url));
    const run = async () => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, 'o/m'], {
        env: {
          ...process.env,
          HF_ENDPOINT: stage.hub.endpoint,
          HF_HUB_CACHE: stage.cache,
          HF_HUB_OFFLINE: '',
          HF_TOKEN: '',
        },
      });
      return stdout;
    };
    const folders = await Promise.all([run(), run()]);
    expect(new Set(folders).size).toBe(1);
    expect(listFiles(folders[0]!)).toEqual(wanted);
    expect(wanted.map(contents)).toEqual(wanted.map(() => 1));
    expect(stage.files().filter((path) => /incomplete|\.link-|partial$/.test(path))).toEqual([]);
  }, 180_000); // processes take long to begin on a busy machine

  it('a process that died does not keep others waiting', async () => {
    const locks = join(stage.cache, '.locks/models--o--m');
    mkdirSync(locks, { recursive: true });
    const host = encodeURIComponent(hostname());
    writeFileSync(join(locks, `.owner.${2 ** 22 + 1}.1.gone.${host}`), '');
    expect(listFiles(await resolveModel('o/m', stage.options()))).toEqual(wanted);
  });
});
