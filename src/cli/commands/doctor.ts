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
    const { Engine } = await import('../../engine/engine.js');
    const environment = readDebugEnvironment();
    const engine = Engine.open();
    const machine = engine.machine();
    const { isa, threads } = engine;
    await engine.close();
    const json = {
      ...machine,
      isa,
      threads,
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
