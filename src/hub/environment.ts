/** The hub's environment variables, by the names that all of Hugging Face's tools give them. docs/environment.md lists them. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { processVariables, type Variables } from '../env.js';
import { LimrError } from '../errors.js';
import { readTextIfThere } from '../files.js';

/** What the hub's variables (HF_ENDPOINT, HF_TOKEN, HF_HOME and others) come to. */
export interface HubEnvironment {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** undefined = nobody is logged in. */
  readonly token: string | undefined;
  /** Folder of models--owner--name and its like. */
  readonly cache: string;
  readonly offline: boolean;
  /** Without a byte for this long a request counts as dead. */
  readonly timeoutMs: number;
}

const defaultEndpoint = 'https://huggingface.co';
const defaultTimeoutSeconds = 10;

/**
 * Reads the hub's variables.
 * @throws {LimrError} LIMR_USAGE for a value that is none; LIMR_IO when the token's file cannot be read
 */
export async function readHubEnvironment(variables: Variables = processVariables()): Promise<HubEnvironment> {
  const text = (name: string) => (variables[name] ?? '').trim();
  const folder = (...names: string[]) => expand(names.map(text).find((value) => value !== '') ?? '', variables);
  const home = folder('HF_HOME') || join(folder('XDG_CACHE_HOME') || join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: endpointOf(text('HF_ENDPOINT')),
    token: await tokenOf(text('HF_TOKEN'), folder('HF_TOKEN_PATH') || join(home, 'token')),
    cache: folder('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') || join(home, 'hub'),
    offline: flag('HF_HUB_OFFLINE', text('HF_HUB_OFFLINE')),
    timeoutMs: 1000 * seconds('HF_HUB_DOWNLOAD_TIMEOUT', text('HF_HUB_DOWNLOAD_TIMEOUT')),
  };
}

/** "~" and "$NAME" at their places, as Python's expanduser and expandvars have them. */
function expand(path: string, variables: Variables): string {
  const named = path.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) => {
    return variables[bare ?? braced ?? ''] ?? whole;
  });
  return named.replace(/^~(?=\/|$)/, homedir());
}

function endpointOf(text: string): string {
  if (text === '') return defaultEndpoint;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw mismatch('HF_ENDPOINT', text, 'an address');
  return text.replace(/\/+$/, '');
}

async function tokenOf(variable: string, file: string): Promise<string | undefined> {
  const token = variable === '' ? ((await readTextIfThere(file)) ?? '').trim() : variable;
  if (token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const source = variable === '' ? file : 'HF_TOKEN';
  throw new LimrError('LIMR_USAGE', `${source} is no token: it has blanks or other characters that none has`);
}

function flag(name: string, text: string): boolean {
  if (['', '0', 'off', 'no', 'false'].includes(text.toLowerCase())) return false;
  if (['1', 'on', 'yes', 'true'].includes(text.toLowerCase())) return true;
  throw mismatch(name, text, '0 or 1');
}

function seconds(name: string, text: string): number {
  if (text === '') return defaultTimeoutSeconds;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 86_400) return value;
  throw mismatch(name, text, 'a number of seconds');
}

function mismatch(name: string, value: string, expected: string): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `${name} is ${JSON.stringify(value)}, expected ${expected}`,
    `Set or unset ${name}.`,
  );
}
