/**
 * OpenRLHF's remote-RM protocol: {query: [text, ...]}, and in its later form {query, prompts, labels} with one entry a text, is
 * answered by {rewards: [number, ...]}.
 */
import type { TemplateName } from '../reward/template.js';
import type { Query } from './grade-task.js';
import { Refusal } from './refusal.js';

export interface ProtocolOptions {
  readonly template: TemplateName;
  /** Whether there is a table of answers; without one a request must bring labels. */
  readonly hasAnswers: boolean;
}

/**
 * @param body bytes of the request
 * @throws {Refusal} 400 when they are not JSON; 422 when it is not a request
 */
export function parseRequest(body: Uint8Array, options: ProtocolOptions): Query[] {
  const content = parseJson(body);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Refusal(422, `expected an object such as {"query": ["text"]}, got ${kindOf(content)}`);
  }
  const { query, prompts, labels } = content as Readonly<Record<string, unknown>>;
  if (!Array.isArray(query)) throw new Refusal(422, `"query" is ${kindOf(query)}, expected a list of texts`);
  const odd = query.findIndex((text) => typeof text !== 'string');
  if (odd >= 0) throw new Refusal(422, `query ${odd} is ${kindOf(query[odd])}, expected a text`);
  const [promptOf, labelOf] = [column('prompts', prompts, query.length), column('labels', labels, query.length)];
  return (query as readonly string[]).map((text, i): Query => {
    const [prompt, label] = [promptOf(i), labelOf(i)];
    if (label === undefined && !options.hasAnswers) {
      throw new Refusal(422, `query ${i} has no label, and the server has no answers of its own (--prompts)`);
    }
    if (prompt === undefined && options.template === 'plain') {
      throw new Refusal(422, `query ${i} has no prompt, which template plain cannot find in the text: send "prompts"`);
    }
    return { text, ...(prompt === undefined ? {} : { prompt }), ...(label === undefined ? {} : { label }) };
  });
}

function parseJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, 'the body is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Entry i of a list that may be missing; what is empty or null counts as missing, as OpenRLHF sends it without labels. */
function column(name: string, values: unknown, count: number): (i: number) => string | undefined {
  if (values === undefined || values === null) return () => undefined;
  if (!Array.isArray(values)) throw new Refusal(422, `"${name}" is ${kindOf(values)}, expected a list`);
  if (values.length !== count) throw new Refusal(422, `there are ${values.length} ${name} for ${count} queries`);
  return (i) => {
    const value: unknown = values[i];
    if (value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    throw new Refusal(422, `"${name}" ${i} is ${kindOf(value)}, expected a text`);
  };
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
