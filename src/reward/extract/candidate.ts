/** What may be the answer of a text, as it was found: still to be normalised and parsed. */

/** One of the pieces that stand together as an answer: `$1$ and $2$` has two. */
export interface LatexPart {
  readonly text: string;
  /** A percent sign or word follows the piece, outside of it. */
  readonly percent: boolean;
  /**
   * Which boxes inside `text` are meant where the reader looks for them (extractBoxed in normalise.ts): all of them, or the
   * last and those merged with it. A piece without a box is itself.
   */
  readonly boxed: 'all' | 'last';
}

export interface LatexCandidate {
  readonly kind: 'latex';
  /** One to six pieces, left to right. */
  readonly parts: readonly LatexPart[];
  readonly start: number;
  readonly end: number;
}

/** Plain arithmetic such as `3/4 + 1`, read by parseExpression. */
export interface ExpressionCandidate {
  readonly kind: 'expression';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A plain number, read by parseNumber. */
export interface NumberCandidate {
  readonly kind: 'number';
  /** Without thousands separators and leading zeros, with a decimal point: `-1234.5`. */
  readonly text: string;
  readonly percent: boolean;
  readonly start: number;
  readonly end: number;
}

/** `start` and `end` are UTF-16 offsets into the text of all that was recognised, anchor words included. */
export type Candidate = LatexCandidate | ExpressionCandidate | NumberCandidate;

/** Candidates with the same key read alike, wherever they stand. */
export function candidateKey(candidate: Candidate): string {
  switch (candidate.kind) {
    case 'latex':
      return JSON.stringify(candidate.parts);
    case 'expression':
      return candidate.text;
    case 'number':
      return `${candidate.text}${candidate.percent ? '%' : ''}`;
  }
}
