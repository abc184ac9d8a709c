/** What identifies the inputs of a run, so that resuming with others is noticed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFiles } from '../dataset/data-files.js';
import { withIo } from '../files.js';

/** Bytes of a weight file that are hashed: its header and the first tensors. */
const hashedBytes = 1 << 20;

/** sha256 of the bytes of a data set's files, one after the other. @throws {LimrError} LIMR_IO */
export async function dataFingerprint(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await dataFiles(path)) {
    await withIo(`read ${file}`, async () => {
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    });
  }
  return hash.digest('hex');
}

/**
 * A model folder's: all bytes of config.json and of the tokenizer, and of each weight file its name, size and first megabyte, so
 * that it takes no longer for a large model.
 * @throws {LimrError} LIMR_IO
 */
export async function modelFingerprint(dir: string): Promise<string> {
  const hash = createHash('sha256');
  await withIo(`read ${dir}`, async () => {
    for (const name of (await readdir(dir)).sort()) {
      const path = join(dir, name);
      if (name === 'config.json' || name.startsWith('tokenizer') || name === 'chat_template.jinja') {
        hash.update(name).update(await readFile(path));
      } else if (name.endsWith('.safetensors')) {
        hash.update(name).update(await beginning(path));
      }
    }
  });
  return hash.digest('hex');
}

async function beginning(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, hashedBytes));
    await handle.read(buffer, 0, buffer.length, 0);
    return Buffer.concat([Buffer.from(`${size}\n`), buffer]);
  } finally {
    await handle.close();
  }
}
