import { once } from 'node:events';
import { completeOptions } from '../../config.js';
import { LimrError } from '../../errors.js';
import { escapeControls, printableJson } from '../../escape-controls.js';
import { verifyOptions } from '../../launch/grading-options.js';
import type { VerifyHooks, VerifyResult } from '../../launch/verify.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const verifyVerb: Verb = {
  name: 'verify',
  summary: summaries.verify,
  options: verifyOptions,
  about: [
    'One pair (--gold, --pred), or rows of them (--input). Verdicts are {equal, reason, ms} behind the ids of their row, in the order of the rows, ms being milliseconds; a summary goes to stderr when they go to stdout.',
    'Graders: standard (ours), math-verify and qwen-equal (as these libraries decide), limr and limr-compat (as LIMR trained), paper (as LIMR evaluated). docs/graders.md compares them.',
  ],
  exits: { '0': 'done, whatever the verdicts' },
  examples: [
    ['One pair', "limr-engine verify --gold '\\frac{1}{2}' --pred 0.5"],
    ['A file', 'limr-engine verify --input pairs.jsonl --output verdicts.jsonl --grader limr'],
    ["A run's samples", 'limr-engine verify --input samples/train/step_3.json --pred-key response --json'],
    ['From a pipe into a pipe', "jq -c '.[]' pairs.json | limr-engine verify --input - > verdicts.jsonl"],
  ],
  async run(given, { terminal, signal, json }) {
    const { collectRows } = await import('../../launch/json-lines-file.js');
    const { launchVerify } = await import('../../launch/verify.js');
    const options = completeOptions(verifyOptions, given);
    if (json && options.output === '-') {
      throw new LimrError('LIMR_USAGE', '--output - and --json both want stdout', 'Leave one of them out.');
    }
    const isStream = !json && options.input !== '' && (options.output === '' || options.output === '-');
    const bar = terminal.progress('grading', 0);
    const hooks: VerifyHooks = {
      signal,
      onProgress: (rows) => bar.update(rows),
      remark: (text) => terminal.say(text, 'warn'),
    };
    if (isStream) {
      const result = await launchVerify(options, writeRow, hooks);
      bar.end();
      terminal.say(summaryOf(result));
      return { json: result, lines: [] };
    }
    const file = options.output === '-' ? '' : options.output;
    const { result, rows } = await collectRows<object, VerifyResult>(file, (take) =>
      launchVerify(options, take, hooks),
    );
    bar.end();
    if (options.input === '') {
      const [verdict] = rows as readonly { readonly equal: boolean; readonly reason: string }[];
      return { json: verdict!, lines: [`${verdict!.equal ? 'equal' : 'not equal'} (${verdict!.reason})`] };
    }
    if (file === '') return { json: { ...result, verdicts: rows }, lines: [] };
    return { json: { ...result, output: file }, lines: [`${summaryOf(result)}\n${file}`] };
  },
};

async function writeRow(row: object): Promise<void> {
  if (process.stdout.write(`${printableJson(row)}\n`) || process.stdout.destroyed) return;
  await once(process.stdout, 'drain').catch(() => {}); // a reader that closes the pipe early is no failure of ours
}

function summaryOf({ grader, rows, equal, accuracy, reasons, pairsPerSecond }: VerifyResult): string {
  const counts = Object.entries(reasons).map(([reason, count]) => `  ${String(count).padStart(8)} ${reason}`);
  const head = `${grader}: ${equal} of ${rows} equal (${(100 * accuracy).toFixed(2)}%), ${Math.round(pairsPerSecond)} pairs/s`;
  return escapeControls([head, ...counts].join('\n'));
}
