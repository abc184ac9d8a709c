/** The driver's side of the protocol of bench/peers/README.md. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type PeerCase = { readonly name: string; readonly kind: string } & Readonly<Record<string, unknown>>;

export interface PeerCommand {
  /** What the driver calls it, unique. */
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface PeerAbout {
  readonly peer: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
}

export interface Repetition {
  readonly seconds: number;
  readonly peakRssBytes: number;
  /** Of the kind `machine`. */
  readonly flops?: number;
  readonly readBytes?: number;
  /** Of the kind `rl`: seconds by phase. */
  readonly phases?: Readonly<Record<string, number>>;
}

export interface PeerSetup {
  readonly threads: number;
  readonly model: string;
  readonly cases: readonly PeerCase[];
}

/** A peer may take so long to end. */
const lingerMs = 10_000;

export class Peer {
  private constructor(
    readonly label: string,
    private readonly child: ChildProcess,
    private readonly lines: Lines,
    readonly about: PeerAbout,
  ) {}

  /** Starts it, and waits until it has said what it is. Its stderr is shown when it fails. */
  static async start({ label, command, args, env }: PeerCommand, setup: PeerSetup): Promise<Peer> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    const failed = new Promise<never>((_, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) =>
        reject(new Error(`${label} ended (${signal ?? `exit code ${code}`}): ${said}`)),
      );
    });
    failed.catch(() => {});
    const read = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const lines: Lines = async () => {
      const { value, done } = await Promise.race([read.next(), failed]);
      return done === true ? failed : (value as string);
    };
    child.stdin.write(`${JSON.stringify(setup)}\n`);
    return new Peer(label, child, lines, await answer<PeerAbout>(label, lines));
  }

  can(each: PeerCase): boolean {
    return this.about.kinds.includes(each.kind);
  }

  run(name: string): Promise<Repetition> {
    return this.ask({ do: 'run', case: name });
  }

  async release(name: string): Promise<void> {
    await this.ask({ do: 'release', case: name });
  }

  /** Ends it, and waits for that: with force where threads of a library keep it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.child.on('close', resolve));
    this.child.stdin?.end();
    const force = setTimeout(() => this.child.kill('SIGKILL'), lingerMs);
    await closed;
    clearTimeout(force);
  }

  private ask<T>(command: object): Promise<T> {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
    return answer<T>(this.label, this.lines);
  }
}

/** The next line of an answer. Fails, with what was said on stderr, when the peer has ended. */
type Lines = () => Promise<string>;

async function answer<T>(label: string, lines: Lines): Promise<T> {
  const line = await lines();
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new Error(`${label} answered ${line}`);
  }
}
