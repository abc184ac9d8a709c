/** Which charts there are: titles, what is drawn in each, and what it means. Metrics without an entry get a chart of their own. */
import type { Format } from './numbers.js';

export interface ChartEntry {
  readonly title: string;
  readonly note: string;
  readonly format: Format;
  /** Metrics in it; the first group is shown in the label. */
  readonly metrics: readonly RegExp[];
}

export interface ChartGroup {
  readonly title: string;
  readonly charts: readonly ChartEntry[];
}

const chart = (title: string, format: Format, note: string, ...metrics: RegExp[]): ChartEntry => ({
  title,
  format,
  note,
  metrics,
});

export const chartGroups: readonly ChartGroup[] = [
  {
    title: 'Learning',
    charts: [
      chart(
        'Reward',
        'number',
        "Mean of the rollout's samples, and of evaluations.",
        /^reward\/mean$/,
        /^eval\/(.+)\/reward$/,
      ),
      chart(
        'Accuracy',
        'share',
        'Bars: one standard error, over the questions of the evaluation set.',
        /^reward\/accuracy$/,
        /^eval\/(.+)\/accuracy$/,
      ),
      chart(
        'Well-formed answers',
        'share',
        'Samples that give an answer in the form asked for.',
        /^reward\/well_formed$/,
        /^eval\/(.+)\/well_formed$/,
      ),
      chart('Length', 'number', 'Mean tokens a sample.', /^length\/mean$/, /^eval\/(.+)\/length$/),
      chart(
        'Truncated samples',
        'share',
        'Cut off by the length limit.',
        /^length\/truncated$/,
        /^eval\/(.+)\/truncated$/,
      ),
      chart(
        'Groups without a difference',
        'share',
        'Prompts whose samples all got one reward: estimators that compare them learn nothing from these.',
        /^group\/zero_std$/,
      ),
    ],
  },
  {
    title: 'Policy',
    charts: [
      chart(
        'KL',
        'number',
        'To the initial model a token; approx_kl: to the policy that sampled.',
        /^kl\/mean$/,
        /^policy\/approx_kl$/,
      ),
      chart('Entropy', 'number', 'Of the next token, in nats.', /^entropy\/mean$/),
      chart('Policy loss', 'number', 'Mean over the optimizer steps.', /^loss\/policy$/),
      chart(
        'Clip fraction',
        'share',
        'Tokens whose clipped term was the smaller one.',
        /^(policy|value)\/clip_fraction$/,
      ),
      chart('Largest ratio', 'number', 'Of the new probability of a token to the old one.', /^policy\/max_ratio$/),
      chart('Gradient norm', 'number', 'Before it is clipped.', /^grad_norm\/(actor|critic)$/),
      chart('Learning rate', 'number', 'At the last optimizer step.', /^lr\/(actor|critic)$/),
      chart('KL coefficient', 'number', 'Of the KL in the reward or loss.', /^kl\/coef$/),
    ],
  },
  {
    title: 'Critic',
    charts: [
      chart('Value loss', 'number', 'Mean over the optimizer steps.', /^loss\/value$/),
      chart(
        'Explained variance',
        'number',
        'Of the returns, by the values: 1 = all of it.',
        /^value\/explained_variance$/,
      ),
      chart('Values and returns', 'number', 'Means over tokens.', /^(value|return)\/mean$/),
    ],
  },
  {
    title: 'Learning impact while training',
    charts: [
      chart(
        'Prompts',
        'whole',
        'With a score; kept by the rule; trained on.',
        /^lim\/(scored|kept|prompts|effective_prompts)$/,
      ),
      chart('Mean score', 'number', 'Of the prompts with a score.', /^lim\/mean$/),
    ],
  },
  {
    title: 'Speed and memory',
    charts: [
      chart(
        'Speed',
        'whole',
        'Tokens a second: generated, scored by all models, trained on.',
        /^(sampling|scoring|update)\/tokens_per_second$/,
      ),
      chart(
        'MFU',
        'share',
        'Arithmetic that the models ask for, over what the machine can do: train --perf.',
        /^mfu\/(.+)$/,
      ),
      chart('Time', 'seconds', 'Of a rollout, by phase.', /^seconds\/(sampling|scoring|update|evaluation)$/),
      chart(
        'Memory',
        'bytes',
        'Resident, of the process: at the end of a rollout, its peak so far; of a phase (train --perf) beyond the start.',
        /^memory\/(.+)$/,
      ),
      chart('Tokens', 'whole', 'Of a rollout.', /^tokens\/(generated|trained|evaluated)$/),
      chart('Grading', 'number', 'Milliseconds a sample.', /^grading\/(mean|p99)_ms$/),
    ],
  },
];

/** Not worth a chart of their own: in others by another name, or counts that say nothing over time. */
export const uncharted =
  /^(rollout|length\/max|reward\/accuracy_well_formed|eval\/.+\/(accuracy_se|accuracy_well_formed)|lim\/epoch|seconds\/.*|tokens\/.*|grading\/.*|sampling\/preemptions)$/;

/** Standard error of a metric. */
export const errorOf = (metric: string): string => `${metric}_se`;

const phaseLabels: Readonly<Record<string, string>> = { rss: 'now', peak_rss: 'peak' };

/** The name of a line: what it is of, within its chart. */
export function lineLabel(metric: string): string {
  const evaluated = /^eval\/(.+)\/[^/]+$/.exec(metric)?.[1];
  if (evaluated !== undefined) return evaluated.replace(/\/sampled$/, ', sampled');
  const phase = /^(?:seconds|mfu|memory)\/(.+?)(?:_bytes)?$/.exec(metric) ?? /^(.+)\/tokens_per_second$/.exec(metric);
  if (phase !== null) return phaseLabels[phase[1]!] ?? phase[1]!;
  return /^(reward\/(mean|accuracy|well_formed)|length\/(mean|truncated))$/.test(metric) ? 'training' : metric;
}
