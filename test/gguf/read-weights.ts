/** The tensors of a model folder's safetensors, by name, with shards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function readWeights(folder: string): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
    const file = readFileSync(join(folder, name));
    const begin = 8 + Number(file.readBigUInt64LE(0));
    const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
      file.toString('utf8', 8, begin),
    );
    for (const [tensor, { dtype, shape, data_offsets: at }] of Object.entries(header)) {
      if (tensor === '__metadata__') continue;
      tensors.set(tensor, { dtype, shape, bytes: file.subarray(begin + at[0], begin + at[1]) });
    }
  }
  return tensors;
}
