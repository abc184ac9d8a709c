/**
 * bf16 weights as safetensors, written as they come: one file, or Hugging Face's shards with their index where there are more bytes.
 * https://github.com/huggingface/safetensors#format
 */
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const bytesPerWeight = 2;
export const maxShardBytes = 5e9;

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

interface Shard {
  readonly file: string;
  readonly specs: readonly WeightSpec[];
}

export const weightBytes = ({ shape }: WeightSpec): number =>
  shape.reduce((product, size) => product * size, bytesPerWeight);

export class WeightFiles {
  private readonly shards: readonly Shard[];
  private handle: FileHandle | undefined;
  private shard = 0;
  /** Bytes of weights still to be written into the shard. */
  private left = 0;

  /**
   * @param folder where they go
   * @param specs in the order in which their weights will be written
   */
  constructor(
    private readonly folder: string,
    private readonly specs: readonly WeightSpec[],
    limit = maxShardBytes,
  ) {
    this.shards = cut(specs, limit);
  }

  /** The next weights of the tensors, row-major. */
  async write(weights: Uint16Array): Promise<void> {
    this.handle ??= await this.begin();
    const bytes = new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
    for (let done = 0; done < bytes.length; ) {
      done += (await this.handle.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    this.left -= bytes.length;
    if (this.left === 0) {
      await this.close();
      this.shard += 1;
    }
  }

  /** After the last weights: the index, where there is more than one file. */
  async finish(): Promise<void> {
    if (this.shards.length === 1) return;
    const total = this.specs.reduce((sum, spec) => sum + weightBytes(spec), 0);
    const map = this.shards.flatMap(({ file, specs }) => specs.map(({ name }) => [name, file] as const));
    const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) };
    await writeFile(join(this.folder, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`);
  }

  /** Closes the file that is open, if one is; for the case that something failed. */
  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close();
  }

  private async begin(): Promise<FileHandle> {
    const shard = this.shards[this.shard];
    if (shard === undefined) throw new RangeError('more weights than tensors');
    const handle = await open(join(this.folder, shard.file), 'wx');
    this.left = shard.specs.reduce((sum, spec) => sum + weightBytes(spec), 0);
    await handle.writeFile(headerOf(shard.specs));
    return handle;
  }
}

function cut(specs: readonly WeightSpec[], limit: number): Shard[] {
  const groups: WeightSpec[][] = [[]];
  let bytes = 0;
  for (const spec of specs) {
    if (bytes > 0 && bytes + weightBytes(spec) > limit) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(spec);
    bytes += weightBytes(spec);
  }
  const number = (n: number) => String(n).padStart(5, '0');
  return groups.map((specs, i) => ({
    file: groups.length === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`,
    specs,
  }));
}

/** Length (u64) and JSON, padded with spaces to 8 bytes. */
function headerOf(specs: readonly WeightSpec[]): Uint8Array {
  let end = 0;
  const entries = specs.map((spec) => {
    const begin = end;
    end += weightBytes(spec);
    return [spec.name, { dtype: 'BF16', shape: spec.shape, data_offsets: [begin, end] }] as const;
  });
  // "format" is what transformers asks for before it loads a file.
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}
