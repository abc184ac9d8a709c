/**
 * 1 for a response that ends by itself and whose last number is the answer, else 0. LIMR's own rule asks for \boxed{}, which a small
 * chat model never writes by itself: all its rewards would be -1, and nothing could be learned from them.
 * @type {import('limr-engine').RewardHook}
 */
const lastNumber = ({ response, answer, stopReason }) => {
  const found = /\d+(?=\D*$)/.exec(response)?.[0] ?? null;
  const finished = stopReason !== 'length';
  const correct = finished && found === answer;
  const reason = correct ? 'equal' : !finished ? 'unfinished' : found === null ? 'no_number' : 'different';
  return { reward: correct ? 1 : 0, correct, wellFormed: finished && found !== null, answer: found, reason };
};

// biome-ignore lint/style/noDefaultExport: where --reward looks for a hook
export default lastNumber;
