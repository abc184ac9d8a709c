/** How each peer is started: which program, with which cap on its instructions. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { PeerCommand } from './protocol.js';

export interface PeerOptions {
  readonly threads: number;
  /** "" = the best of the machine; else what `caps` has. */
  readonly isa: string;
  /** Python with torch, transformers and numpy. */
  readonly torch: string | undefined;
  readonly attention: readonly string[];
  readonly training: readonly string[];
  /** Folder with node-llama-cpp, and the type of the weights there. */
  readonly llama: string | undefined;
  readonly gguf: string;
  /** Python with trl. */
  readonly trl: string | undefined;
  readonly trlDtype: readonly string[];
  /** Our engine once more, with so many threads or such kernels. */
  readonly also: readonly string[];
}

export interface Program extends PeerCommand {
  readonly threads: number;
}

/** What caps PyTorch to the instructions of our kernels of that name. */
const caps: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {},
  avx512: { ATEN_CPU_CAPABILITY: 'avx512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' },
  avx2: { ATEN_CPU_CAPABILITY: 'avx2', ONEDNN_MAX_CPU_ISA: 'AVX2' },
};

const here = import.meta.dirname;
const tsx = ['--import', import.meta.resolve('tsx')];
const models = ['prefill', 'decode', 'train'];

/** Makes the programs of a suite: ours first, then those that were asked for and can do it. */
export class Programs {
  private ggufFile: string | undefined;

  /**
   * @param model the model's folder
   * @param folder a place for files that live as long as the run
   */
  constructor(
    private readonly options: PeerOptions,
    private readonly model: string,
    private readonly folder: string,
  ) {
    if (!Object.hasOwn(caps, options.isa)) throw new Error(`--isa ${options.isa}: known are avx512, avx2`);
  }

  of(suite: string): Program[] {
    return [...this.ours(), ...this.torch(suite), ...this.readers(suite), ...this.trl(suite), ...this.llama(suite)];
  }

  private ours(): Program[] {
    const { threads, isa, also } = this.options;
    const ours = (label: string, count: number, kernels: string): Program => ({
      label,
      threads: count,
      command: process.execPath,
      args: [...tsx, join(here, 'limr/run.ts')],
      env: kernels === '' ? {} : { LIMR_CPU: kernels },
    });
    const others = also.map((word) => {
      const count = Number(word);
      return Number.isInteger(count)
        ? ours(`limr, threads: ${word}`, count, isa)
        : ours(`limr, ${word}`, threads, word);
    });
    return [ours('limr', threads, isa), ...others];
  }

  private python(folder: string, label: string, command: string, args: readonly string[]): Program {
    const { threads, isa } = this.options;
    return { label, threads, command, args: [join(here, folder, 'run.py'), ...args], env: caps[isa] ?? {} };
  }

  private torch(suite: string): Program[] {
    const { torch, attention, training, isa } = this.options;
    if (torch === undefined || ![...models, 'gemm'].includes(suite)) return [];
    const dtype = isa === '' ? 'bfloat16' : 'float32'; // without bf16 products, f32 is what it does best
    return (suite === 'gemm' ? ['sdpa'] : attention).flatMap((attending) =>
      (suite === 'train' ? training : ['master']).map((how) => {
        const words = [dtype, ...(suite === 'gemm' ? [] : [attending]), ...(suite === 'train' ? [how] : [])];
        const args = ['--attention', attending, '--dtype', dtype, '--training', how];
        return this.python('torch', `torch ${words.join(' ')}`, torch, args);
      }),
    );
  }

  private readers(suite: string): Program[] {
    const { torch } = this.options;
    const how: Readonly<Record<string, readonly string[]>> = {
      load: ['plain', 'transformers'],
      tokenize: ['plain', 'batch'],
    };
    if (torch === undefined) return [];
    return (how[suite] ?? []).map((word) =>
      this.python('hugging_face', `hugging face, ${word}`, torch, ['--how', word]),
    );
  }

  private trl(suite: string): Program[] {
    const { trl, trlDtype } = this.options;
    if (trl === undefined || suite !== 'rl') return [];
    return trlDtype.map((dtype) => this.python('trl', `trl ${dtype}`, trl, ['--dtype', dtype]));
  }

  private llama(suite: string): Program[] {
    const { llama, threads, gguf } = this.options;
    if (llama === undefined || !['prefill', 'decode'].includes(suite)) return [];
    const args = [...tsx, join(here, 'llama_cpp/run.ts'), resolve(llama), this.writeGguf()];
    return [{ label: `llama.cpp ${gguf}`, threads, command: process.execPath, args }];
  }

  /** The same weights for llama.cpp. */
  private writeGguf(): string {
    const { torch, gguf } = this.options;
    if (this.ggufFile !== undefined) return this.ggufFile;
    if (torch === undefined) throw new Error('--llama also needs --torch, a Python with gguf');
    const file = join(this.folder, `weights.${gguf}.gguf`);
    const args = [join(here, 'llama_cpp/write_gguf.py'), this.model, file, '--type', gguf];
    const run = spawnSync(torch, args, { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    this.ggufFile = file;
    return file;
  }
}
