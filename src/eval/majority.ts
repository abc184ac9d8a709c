/** Votes of a question's samples: maj@k, self-consistency. Wang et al. 2022, arXiv:2203.11171. */

export interface Ballot {
  /** The sample's answer; null = none, and so no vote. */
  readonly answer: string | null;
  readonly correct: boolean;
}

/**
 * Whether the answer that most samples give is right. Answers are one when `same` says so: each is compared with the first one of
 * every group so far.
 * @param same whether the second answer equals the first
 * @returns 1 or 0; where groups tie, the share of the tied ones that are right; 0 without a vote
 */
export function majorityVote(ballots: readonly Ballot[], same: (first: string, answer: string) => boolean): number {
  const groups: { readonly answer: string; readonly correct: boolean; votes: number }[] = [];
  for (const { answer, correct } of ballots) {
    if (answer === null) continue;
    const group = groups.find((other) => other.answer === answer || same(other.answer, answer));
    if (group === undefined) groups.push({ answer, correct, votes: 1 });
    else group.votes += 1;
  }
  const most = Math.max(0, ...groups.map(({ votes }) => votes));
  const leaders = groups.filter(({ votes }) => votes === most);
  return leaders.length === 0 ? 0 : leaders.filter(({ correct }) => correct).length / leaders.length;
}
