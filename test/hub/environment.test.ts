import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readHubEnvironment } from '../../src/hub/index.js';

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'limr-hf-home-'));
  writeFileSync(join(home, 'token'), 'hf_from_file\n');
});
afterAll(() => rmSync(home, { recursive: true }));

it('has the defaults of the field', async () => {
  const nobody = { HF_TOKEN_PATH: join(home, 'none') };
  expect(await readHubEnvironment(nobody)).toEqual({
    endpoint: 'https://huggingface.co',
    token: undefined,
    cache: join(homedir(), '.cache/huggingface/hub'),
    offline: false,
    timeoutMs: 10_000,
  });
  expect(await readHubEnvironment({ ...nobody, XDG_CACHE_HOME: '/x' })).toMatchObject({ cache: '/x/huggingface/hub' });
});

it('reads the token of the environment, else of the file that logging in writes', async () => {
  expect(await readHubEnvironment({ HF_HOME: home })).toMatchObject({
    token: 'hf_from_file',
    cache: join(home, 'hub'),
  });
  expect(await readHubEnvironment({ HF_HOME: home, HF_TOKEN: ' mine ' })).toMatchObject({ token: 'mine' });
  expect(await readHubEnvironment({ HF_TOKEN_PATH: join(home, 'token') })).toMatchObject({ token: 'hf_from_file' });
});

it('takes folders with ~ and variables, and the nearer variable first', async () => {
  const folders = { HF_HOME: '~/h', HUGGINGFACE_HUB_CACHE: '/old' };
  expect(await readHubEnvironment(folders)).toMatchObject({ cache: '/old' });
  const nearer = { ...folders, HF_HUB_CACHE: '$BIG/$DIR', BIG: '/big', DIR: 'd' };
  expect(await readHubEnvironment(nearer)).toMatchObject({ cache: '/big/d' });
  expect(await readHubEnvironment({ HF_HOME: '~/h' })).toMatchObject({ cache: join(homedir(), 'h/hub') });
});

it('reads the other variables', async () => {
  const given = {
    HF_HOME: home,
    HF_ENDPOINT: 'http://mirror/hf//',
    HF_HUB_OFFLINE: 'Yes',
    HF_HUB_DOWNLOAD_TIMEOUT: '2.5',
  };
  expect(await readHubEnvironment(given)).toMatchObject({
    endpoint: 'http://mirror/hf',
    offline: true,
    timeoutMs: 2500,
  });
});

it.each([
  ['HF_ENDPOINT', 'huggingface.co'],
  ['HF_ENDPOINT', 'file:///etc'],
  ['HF_HUB_OFFLINE', 'perhaps'],
  ['HF_HUB_DOWNLOAD_TIMEOUT', '0'],
  ['HF_HUB_DOWNLOAD_TIMEOUT', 'soon'],
  ['HF_TOKEN', 'two words'],
])('refuses %s=%s', async (name, value) => {
  await expect(readHubEnvironment({ HF_HOME: home, [name]: value })).rejects.toMatchObject({
    code: 'LIMR_USAGE',
    message: expect.stringContaining(name),
  });
});
