/** What --perf prints: a row a phase, beside what was planned. */
import { formatBytes } from '../bytes.js';
import type { PerfReport, PhaseUse } from '../perf/meter.js';
import type { MemoryPlan } from '../plan/memory.js';
import type { Phase } from '../ppo/events.js';
import { percent } from './numbers.js';

export function perfReport({ phases, seconds, baseBytes, peakFlops }: PerfReport, memory: MemoryPlan): string[] {
  const measured = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const rows = phases.map((use) => [
    use.phase,
    use.seconds.toFixed(1),
    percent(use.share),
    use.tokens === 0 ? '' : String(use.tokens),
    use.tokens === 0 ? '' : use.tokensPerSecond.toFixed(0),
    use.mfu === 0 ? '' : percent(use.mfu),
    formatBytes(Math.max(0, use.peakBytes)),
    formatBytes(plannedBytes(use, memory)),
  ]);
  const other = ['other', (seconds - measured).toFixed(1), percent(1 - measured / seconds), '', '', '', '', ''];
  const head = ['phase', 'seconds', 'share', 'tokens', 'tokens/s', 'MFU', 'memory', 'planned'];
  const all = [head, ...rows, other];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [
    ...all.map((cells) => line(cells).trimEnd()),
    `MFU: of the ${(peakFlops / 1e9).toFixed(0)} GFLOP/s that this machine did before the run`,
    `memory: the most that the process had beyond the ${formatBytes(baseBytes)} of its start`,
    'planned: what the engine was to take for models and workspace',
  ];
}

const workspaceOf: Readonly<Record<Phase, keyof MemoryPlan['workspace'] | undefined>> = {
  sampling: 'generateBytes',
  evaluation: 'generateBytes',
  scoring: 'scoreBytes',
  update: 'trainBytes',
  saving: undefined,
};

function plannedBytes(
  { phase }: PhaseUse,
  { workspace, weightBytes, gradientBytes, optimizerBytes }: MemoryPlan,
): number {
  const own = workspaceOf[phase];
  return weightBytes + gradientBytes + optimizerBytes + (own === undefined ? 0 : workspace[own]);
}
