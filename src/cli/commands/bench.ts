import type { BenchComparison, CaseComparison } from '../../bench/compare.js';
import type { CaseResult } from '../../bench/run.js';
import { completeOptions } from '../../config.js';
import type { BenchReport } from '../../launch/bench.js';
import { benchOptions } from '../../launch/bench-options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const benchVerb: Verb = {
  name: 'bench',
  summary: summaries.bench,
  options: benchOptions,
  about: [
    'MFU is the share of the machine\'s peak rate of bf16 products, bandwidth the share of its rate of reading memory; both rates are measured between the repetitions. +- is the median deviation of a repetition from the median. A comparison weighs each repetition by what the machine did at that time; "slower" and "faster" stand where 99% of the bootstrapped ratios are beyond 2%.',
  ],
  examples: [
    ['The embedded model on this machine', 'limr-engine bench'],
    [
      'A shape of random weights, kept for later',
      'limr-engine bench --shape qwen2.5-0.5b --suite gemm,prefill --output before.json',
    ],
    [
      'Has it become faster?',
      'limr-engine bench --shape qwen2.5-0.5b --suite gemm,prefill --compare before.json --json',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchBench } = await import('../../launch/bench.js');
    const options = completeOptions(benchOptions, given);
    const bar = terminal.progress('measuring', 0);
    const { report, comparison, remarks } = await launchBench(options, chooseMachine(options), {
      signal,
      ...hubHooks(terminal),
      onProgress: (done, total, name) => bar.update(done, name, total),
    });
    bar.end();
    for (const remark of remarks) terminal.say(remark, 'warn');
    const json = { ...report, ...(comparison === undefined ? {} : { comparison }) };
    return { json, lines: describe(report, comparison) };
  },
};

function describe(report: BenchReport, comparison: BenchComparison | undefined): string[] {
  const { machine, limits, model, cases } = report;
  const about = [
    `machine  ${machine.cpu}, ${machine.isa}, ${machine.threads} threads: ${scaled(limits.flops, 'FLOP')} peak, ${scaled(limits.readBytes, 'B')} read`,
    ...(model === undefined
      ? []
      : [
          `model    ${model.name}, ${(model.numParameters / 1e6).toPrecision(3)} M parameters${model.random ? ', random weights' : ''}`,
        ]),
  ];
  const compared = new Map(comparison?.cases.map((each) => [each.name, each]));
  const header = ['case', 'speed', '\u00b1', 'MFU', 'bandwidth', ...(comparison === undefined ? [] : ['before', ''])];
  const rows = cases.map((each) => [
    each.name,
    scaled(each.perSecond, each.unit),
    percent(each.spreadSeconds / each.medianSeconds, 1),
    percent(each.mfu),
    percent(each.bandwidth),
    ...(comparison === undefined ? [] : change(each, compared.get(each.name))),
  ]);
  const left = comparison?.missing.map((name) => `not in this run: ${name}`) ?? [];
  return [...about, '', ...table([header, ...rows]), ...left];
}

function change(each: CaseResult, compared: CaseComparison | undefined): string[] {
  if (compared === undefined) return ['', 'new'];
  const before = scaled(each.perSecond * compared.ratio, each.unit);
  return [before, `${compared.verdict} (time x${compared.ratio.toFixed(3)})`];
}

const percent = (share: number | undefined, digits = 0): string =>
  share === undefined || Number.isNaN(share) ? '' : `${(100 * share).toFixed(digits)}%`;

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];

/** 12345 tokens -> "12.3 ktokens/s"; up to four digits stay as they are. */
function scaled(perSecond: number, unit: string): string {
  let value = perSecond;
  let at = 0;
  while (value >= 9999.5 && at + 1 < prefixes.length) {
    value /= 1000;
    at += 1;
  }
  const shown = value >= 99.95 ? value.toFixed(0) : value.toPrecision(3);
  return `${shown} ${prefixes[at]}${unit}/s`;
}

/** Columns as wide as their widest cell; the first to the left, the others to the right, an open end to the left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === 6 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
