/** The peer's side of the protocol of bench/peers/README.md, for peers that run in Node. */
import { createInterface } from 'node:readline';
import type { PeerAbout, PeerCase, PeerSetup, Repetition } from './protocol.js';

/** A case that is ready to be timed. */
export interface Ready {
  run(): Promise<Omit<Repetition, 'peakRssBytes'>>;
  close(): Promise<void> | void;
}

export interface Program {
  readonly about: Omit<PeerAbout, 'kinds'>;
  /** Makes a case of a kind ready. */
  readonly kinds: Readonly<Record<string, (each: PeerCase) => Promise<Ready>>>;
  close(): Promise<void>;
}

export async function serve(open: (setup: PeerSetup) => Promise<Program>): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const setup = JSON.parse(String((await lines.next()).value)) as PeerSetup;
  const { about, kinds, close } = await open(setup);
  answer({ ...about, kinds: Object.keys(kinds) });
  const cases = new Map(setup.cases.map((each) => [each.name, each]));
  const ready = new Map<string, Ready>();
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    const command = JSON.parse(line.value) as { do: string; case: string };
    const each = cases.get(command.case);
    const prepare = kinds[each?.kind ?? ''];
    if (each === undefined || prepare === undefined) throw new Error(`no case that this peer knows: ${line.value}`);
    if (command.do === 'release') {
      await ready.get(each.name)?.close();
      ready.delete(each.name);
      answer({});
      continue;
    }
    const prepared = ready.get(each.name) ?? (await prepare(each));
    ready.set(each.name, prepared);
    answer({ ...(await prepared.run()), peakRssBytes: process.resourceUsage().maxRSS * 1024 });
  }
  await close();
}

/** The number of a case's field. */
export const number = (each: PeerCase, key: string): number => Number(each[key]);

/** What a repetition gives, of its seconds. */
export const timed = (body: () => Promise<number>): Ready['run'] => {
  return async () => ({ seconds: await body() });
};
