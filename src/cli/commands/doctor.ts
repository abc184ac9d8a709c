import { formatBytes } from '../../bytes.js';
import type { CudaReport } from '../../engine/cuda.js';
import { readDebugEnvironment } from '../../env.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const doctorVerb: Verb = {
  name: 'doctor',
  summary: summaries.doctor,
  options: {},
  configFile: false,
  about: [
    'The sets of kernels that the CPU can run and the one in use, threads, memory (of the machine, or the cgroup), the GPUs and what is missing to use them. The GPU is looked for in a process of its own, so that a broken driver does no harm.',
  ],
  examples: [
    ['A table', 'limr-engine doctor'],
    ['For a bug report', 'limr-engine doctor --json'],
  ],
  async run() {
    const { Engine } = await import('../../engine/engine.js');
    const environment = readDebugEnvironment();
    const { probeCuda } = await import('../../engine/cuda.js');
    const engine = Engine.open();
    const machine = engine.machine();
    const { isa, threads } = engine;
    await engine.close();
    const cuda = probeCuda(0, environment);
    const json = {
      ...machine,
      isa,
      threads,
      cuda,
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
      environment,
    };
    const rows: readonly (readonly [string, string])[] = [
      ['addon', `${machine.version}, built by ${machine.compiler}`],
      ['platform', `${json.platform}, Node ${json.node}`],
      ['instruction sets', `${machine.isas.join(', ')} (in use: ${isa})`],
      ['cpus', `${machine.cpus} (threads: ${json.threads})`],
      ['memory', formatBytes(machine.memoryBytes)],
      ...cudaRows(cuda),
    ];
    return { json, lines: rows.map(([name, value]) => `${name.padEnd(18)} ${value}`) };
  },
};

function cudaRows({ module, probe, problem }: CudaReport): readonly (readonly [string, string])[] {
  const devices = (probe?.devices ?? []).map((device, i) => {
    const { name, capability, memoryBytes, freeBytes, driver } = device;
    const memory = `${formatBytes(memoryBytes)}, ${formatBytes(freeBytes)} free`;
    return [`cuda:${i}`, `${name}, compute capability ${capability}, ${memory}, driver for CUDA ${driver}`] as const;
  });
  return [
    ['cuda', module === undefined ? 'not in this build' : `${module}${probe ? ` (${probe.architectures})` : ''}`],
    ...devices,
    ...(probe?.cublaslt === undefined ? [] : [['cublaslt', probe.cublaslt] as const]),
    ...(problem === undefined || module === undefined ? [] : [['cuda does not run', problem.message] as const]),
    ...(problem === undefined ? [] : [['fix', problem.hint] as const]),
  ];
}
