import type { AuditedAnswer, CategoryAudit, GraderAudit } from '../../audit/audit.js';
import { completeOptions } from '../../config.js';
import type { AuditResult } from '../../launch/audit.js';
import { auditOptions } from '../../launch/grading-options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

/** Of the answers that can never be right, and of refused respellings, lines that are shown a grader; --json has all. */
const maxShown = 10;

export const auditVerb: Verb = {
  name: 'audit',
  summary: summaries.audit,
  options: auditOptions,
  about: [
    'Every reference answer is graded against itself, and against common spellings of it, by each grader. An answer that is not equal to itself can never be rewarded: its prompt teaches a model nothing. The table counts them by kind of answer.',
  ],
  examples: [
    ['By all graders', 'limr-engine audit --prompts math.json'],
    [
      'By two of them, with a line for every answer',
      'limr-engine audit --prompts math.json --grader limr,limr-compat --output audit.jsonl --json',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { collectRows } = await import('../../launch/json-lines-file.js');
    const { launchAudit } = await import('../../launch/audit.js');
    const options = completeOptions(auditOptions, given);
    const bar = terminal.progress('auditing', 0);
    const hooks = {
      signal,
      ...hubHooks(terminal),
      onProgress: (done: number, total: number) => bar.update(done, '', total),
      remark: (text: string) => terminal.say(text, 'warn'),
    };
    const audit = (take: (row: AuditedAnswer) => void | Promise<void>) => launchAudit(options, take, hooks);
    const result =
      options.output === ''
        ? await audit(() => {})
        : (await collectRows<AuditedAnswer, AuditResult>(options.output, audit)).result;
    bar.end();
    const { answers, distinct, prompts } = result;
    const head = `${prompts}: ${answers} answers, ${distinct} different ones`;
    return { json: result, lines: [head, ...result.graders.flatMap(table)] };
  },
};

function table({ grader, answers, never, categories, respellings, neverRight }: GraderAudit): string[] {
  const shown = neverRight.slice(0, maxShown).map(({ row, answer, reason }) => {
    return `  row ${row}: ${JSON.stringify(answer.slice(0, 60))} (${reason})`;
  });
  const refused = respellings.filter(({ tried, accepted }) => accepted < tried).slice(0, maxShown);
  return [
    '',
    `${grader}: ${never} of ${answers} answers can never be right${never === 0 ? '' : ', such as'}`,
    ...shown,
    `  ${'kind'.padEnd(12)} ${'answers'.padStart(8)} ${'never'.padStart(8)} ${'verbatim'.padStart(9)} ${'respelled'.padStart(9)}`,
    ...categories.map(line),
    ...(refused.length === 0 ? [] : ['  respellings refused most']),
    ...refused.map(
      ({ respelling, tried, accepted }) => `    ${`${tried - accepted} of ${tried}`.padStart(14)} ${respelling}`,
    ),
  ];
}

function line({ category, answers, never, verbatim, respellings, accepted }: CategoryAudit): string {
  const share = (part: number, whole: number) => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`);
  const numbers = [String(answers).padStart(8), String(never).padStart(8)];
  const shares = [share(verbatim, answers).padStart(9), share(accepted, respellings).padStart(9)];
  return `  ${category.padEnd(12)} ${[...numbers, ...shares].join(' ')}`;
}
