import { formatBytes } from '../../bytes.js';
import { readDebugEnvironment } from '../../env.js';
import type { Verb } from '../verb.js';

export const doctorVerb: Verb = {
  name: 'doctor',
  summary: 'what this machine and this build have: instruction sets, cores, memory',
  options: {},
  configFile: false,
  examples: ['doctor', 'doctor --json'],
  async run() {
    const { loadNative } = await import('../../native.js');
    const environment = readDebugEnvironment();
    const machine = loadNative().machine();
    const isa = environment.cpu === '' ? (machine.isas[0] ?? '') : environment.cpu;
    const json = {
      ...machine,
      isa,
      threads: environment.threads ?? machine.cpus,
      cuda: false,
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
      ['cuda', 'not in this build'],
    ];
    return { json, lines: rows.map(([name, value]) => `${name.padEnd(18)} ${value}`) };
  },
};
