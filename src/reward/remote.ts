/**
 * A reward that a server gives, over OpenRLHF's remote-RM protocol: POST {query: [full text, ...], prompts, labels} is answered by
 * {rewards: [number, ...]} in the same order. LIMR's server reads `query` alone; later ones read prompts (templated, as the model
 * read them) and labels (gold answers) too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LimrError } from '../errors.js';
import { type Reward, type RewardResult, type RewardSample, sampleName, scoreSamples } from './reward.js';

/** How reward servers are asked. */
export interface RemoteOptions {
  /** Full addresses, such as http://127.0.0.1:5000/get_reward; requests take turns, and a retry goes to the next one. */
  readonly urls: readonly string[];
  /** Samples a request, at most; a request holds samples of one prompt alone. */
  readonly batchSize: number;
  /** Milliseconds until a request counts as lost. OpenRLHF: 180,000. */
  readonly timeoutMs: number;
  /** Tries of a request, and milliseconds between two. OpenRLHF: 5 and 1,000. */
  readonly tries: number;
  readonly retryMs: number;
  /** Requests under way at once, at most. */
  readonly concurrency: number;
}

/** Bytes of an answer, at most. */
const maxAnswerBytes = 1 << 24;

/**
 * A reward that asks servers, in OpenRLHF's remote-RM protocol.
 * @param base what says whether an answer is right, since the protocol does not; only its number is replaced
 * @throws {LimrError} LIMR_USAGE for an address that is none; `score` throws LIMR_IO when a request failed at every try
 */
export function remoteReward(options: RemoteOptions, base: Reward): Reward {
  const { urls, batchSize } = options;
  for (const url of urls) checkUrl(url);
  if (urls.length === 0) throw new LimrError('LIMR_USAGE', 'a remote reward needs an address', 'Set --remote-rm-url.');
  const client = new RemoteClient(options);
  return {
    name: `remote(${urls.join(',')})/${base.name}`,
    async score(samples, signal) {
      const batches: (readonly RewardSample[])[] = [];
      for (let at = 0; at < samples.length; at += batchSize) batches.push(samples.slice(at, at + batchSize));
      const [results, rewards] = await Promise.all([
        scoreSamples(base, samples, signal),
        Promise.all(batches.map((batch) => client.ask(batch, signal))),
      ]);
      const flat = rewards.flat();
      return results.map((result, i): RewardResult => ({ ...result, reward: flat[i]! }));
    },
    ...(base.close === undefined ? {} : { close: () => base.close!() }),
  };
}

function checkUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new LimrError(
    'LIMR_USAGE',
    `${JSON.stringify(url)} is not the address of a reward server`,
    'Write it as http://host:port/get_reward; several with commas between.',
  );
}

class RemoteClient {
  private next = 0;
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly options: RemoteOptions) {}

  /** @returns one reward a sample */
  async ask(batch: readonly RewardSample[], signal: AbortSignal | undefined): Promise<readonly number[]> {
    if (this.running >= this.options.concurrency) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.running += 1;
    try {
      return await this.persist(batch, signal);
    } finally {
      const next = this.queue.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }

  private async persist(batch: readonly RewardSample[], signal: AbortSignal | undefined): Promise<readonly number[]> {
    const { urls, tries, retryMs } = this.options;
    const body = JSON.stringify({
      query: batch.map(({ fullText }) => fullText),
      prompts: batch.map(({ promptText }) => promptText),
      labels: batch.map(({ answer }) => answer),
    });
    const turn = this.next++;
    for (let attempt = 1; ; ++attempt) {
      const url = urls[(turn + attempt - 1) % urls.length]!;
      try {
        return await this.request(url, body, batch.length, signal);
      } catch (error) {
        if (signal?.aborted === true) throw new LimrError('LIMR_ABORTED', 'interrupted while a reward server worked');
        if (attempt < tries) {
          await sleep(retryMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
          continue;
        }
        const which = `${sampleName(batch[0]!)}${batch.length > 1 ? ` and ${batch.length - 1} more` : ''}`;
        throw new LimrError(
          'LIMR_IO',
          `the reward server ${url} did not grade ${which} in ${tries} ${tries === 1 ? 'try' : 'tries'}: ${reasonOf(error)}`,
          'Check that it runs and answers {"rewards": [...]}; go on with --resume.',
          { cause: error },
        );
      }
    }
  }

  private async request(
    url: string,
    body: string,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    const { timeoutMs } = this.options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'manual', // the texts go where they were sent, and nowhere else
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const text = await readAnswer(response);
    if (response.status >= 300 && response.status < 400) {
      throw new Error(`it redirects to ${response.headers.get('location') ?? 'nowhere'}, which is not followed`);
    }
    if (!response.ok) throw new Error(`HTTP ${response.status} ${response.statusText}: ${excerpt(text)}`);
    return readRewards(text, count);
  }
}

async function readAnswer(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`its answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readRewards(text: string, count: number): readonly number[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`its answer is not JSON: ${excerpt(text)}`);
  }
  const rewards = typeof answer === 'object' && answer !== null && 'rewards' in answer ? answer.rewards : undefined;
  if (!Array.isArray(rewards)) throw new Error(`its answer has no list "rewards": ${excerpt(text)}`);
  if (rewards.length !== count) throw new Error(`it gave ${rewards.length} rewards for ${count} queries`);
  const odd = rewards.findIndex((reward) => !Number.isFinite(reward));
  if (odd >= 0) throw new Error(`its reward ${odd} is ${excerpt(JSON.stringify(rewards[odd]))}, not a number`);
  return rewards as number[];
}

const excerpt = (text: string): string => (text.length <= 200 ? text : `${text.slice(0, 200)}...`);

/** fetch says "fetch failed" and keeps why in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it took too long';
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
