import { completeOptions } from '../../config.js';
import { escapeControls } from '../../escape-controls.js';
import type { ReportResult } from '../../launch/report.js';
import { reportOptions } from '../../launch/report-options.js';
import type { Progress } from '../terminal.js';
import type { Verb } from '../verb.js';

export const reportVerb: Verb = {
  name: 'report',
  summary: 'a run, or several compared, as one HTML file; or served live while they train',
  options: reportOptions,
  argument: 'runs',
  examples: [
    'report',
    'report runs/limr-nano-1',
    'report runs/limr-nano-1 runs/limr-nano-2 --output compared.html',
    'report runs/limr-nano-1 --watch --port 8080',
  ],
  notes: `The file needs no network and no other file: curves, learning impact, samples, configuration. docs/report.md says what is in it.
--watch serves the same page to this machine alone, with what is added as it comes, and searches all samples; SIGINT ends it.`,
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
    return { json: result, lines: linesOf(result).map(escapeControls) };
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
