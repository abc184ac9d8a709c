/** Whether a sample is what a search asks for: the same answer in the browser and on the server. */
import type { SampleQuery, SampleView } from './data.js';

export function matchesQuery(sample: SampleView, query: SampleQuery): boolean {
  const { graded, minReward, maxReward, fromRollout, toRollout } = query;
  if (sample.split !== query.split) return false;
  if (graded !== 'any' && sample.correct !== (graded === 'correct')) return false;
  if (minReward !== null && sample.reward < minReward) return false;
  if (maxReward !== null && sample.reward > maxReward) return false;
  if (fromRollout !== null && sample.rollout < fromRollout) return false;
  if (toRollout !== null && sample.rollout > toRollout) return false;
  if (query.text === '') return true;
  const wanted = query.text.toLowerCase();
  const { answer, gold } = sample.facts;
  return [sample.response, sample.prompt, sample.id, answer, gold].some(
    (text) => typeof text === 'string' && text.toLowerCase().includes(wanted),
  );
}
