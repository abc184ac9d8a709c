import { completeOptions } from '../../config.js';
import type { ReportResult } from '../../launch/report.js';
import { reportOptions } from '../../launch/report-options.js';
import { summaries } from '../summaries.js';
import type { Progress } from '../terminal.js';
import type { Verb } from '../verb.js';

export const reportVerb: Verb = {
  name: 'report',
  summary: summaries.report,
  options: reportOptions,
  argument: 'runs',
  about: [
    'Curves of everything in metrics.jsonl and timings.jsonl, learning impact of the prompts, a choice of the samples with their rewards, and the configuration; several runs share their charts. The file needs no network and no other file. It holds prompts, responses and names of folders: mind who gets it.',
    '--watch serves the same page to this machine alone, with what the run writes as it comes, and searches all samples; SIGINT ends it.',
  ],
  examples: [
    ['The newest run in runs/, into its folder', 'limr-engine report'],
    ['One run', 'limr-engine report runs/limr-nano-1'],
    ['Two runs, compared', 'limr-engine report runs/limr-nano-1 runs/limr-nano-2 --output compared.html'],
    ['Look on while it trains', 'limr-engine report runs/limr-nano-1 --watch --port 8080'],
  ],
  async run(given, { terminal, signal }) {
    const { launchReport } = await import('../../launch/report.js');
    const options = completeOptions(reportOptions, given);
    const bars = new Map<string, Progress>();
    const result = await launchReport(options, {
      signal,
      onProgress: (run, done, total) => {
        const bar = bars.get(run) ?? terminal.progress(`reading ${run}`, total);
        bars.set(run, bar);
        if (done === total) bar.end();
        else bar.update(done, '', total);
      },
      onListening: (address) => terminal.say(`the page is at ${address}; interrupt to end`),
      remark: (text) => terminal.say(text, 'warn'),
    });
    return { json: result, lines: linesOf(result) };
  },
};

function linesOf({ output, bytes, runs }: ReportResult): string[] {
  return [
    ...(output === null ? [] : [`${output}, ${((bytes ?? 0) / 1e6).toFixed(1)} MB`]),
    ...runs.map(({ name, rollouts, samples, embedded }) => {
      const part = output === null || samples === embedded ? `${samples} samples` : `${embedded} of ${samples} samples`;
      return `  ${name}: ${rollouts} rollouts, ${part}`;
    }),
  ];
}
