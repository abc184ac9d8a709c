/** What must follow a match: where it ends if it stands at `at`, else -1. One object a condition, since results are kept. */
export type Follows = (at: number) => number;

export const anything: Follows = (at) => at;
