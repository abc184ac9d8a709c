/**
 * The language of the questions: parsed into a tree, which gives the exact answer and a canonical form. The generator
 * checks each answer with it, and two questions that differ only by the order of commuting operands share their form.
 *
 *   question := 'x=' integer ', ' sum | sum '=' sum | sum [(' mod ' | ' div ') integer]
 *   sum      := ['-'] product (('+' | '-') product)*
 *   product  := power ((('*' | '/') power) | power)*          a factor may follow at once: 3x, 2(x+1)
 *   power    := atom ['^' integer]
 *   atom     := integer | 'x' | '(' sum ')' | ('gcd' | 'mean') '(' sum (',' sum)* ')'
 */

/** An exact fraction in lowest terms, d > 0. Numerators and denominators stay far below 2^53 here. */
export interface Rational {
  readonly n: number;
  readonly d: number;
}

type Node =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'x' }
  | { readonly kind: 'sum'; readonly terms: readonly { readonly sign: 1 | -1; readonly node: Node }[] }
  | { readonly kind: 'product'; readonly factors: readonly { readonly inverse: boolean; readonly node: Node }[] }
  | { readonly kind: 'power'; readonly base: Node; readonly exponent: number }
  | { readonly kind: 'call'; readonly name: 'gcd' | 'mean'; readonly args: readonly Node[] };

type Question =
  | { readonly kind: 'value'; readonly of: Node }
  | { readonly kind: 'mod' | 'div'; readonly of: Node; readonly by: number }
  | { readonly kind: 'at'; readonly of: Node; readonly x: number }
  | { readonly kind: 'solve'; readonly left: Node; readonly right: Node };

export function gcd(a: number, b: number): number {
  let [u, v] = [Math.abs(a), Math.abs(b)];
  while (v !== 0) [u, v] = [v, u % v];
  return u;
}

export function rational(n: number, d = 1): Rational {
  if (d === 0) throw new RangeError(`${n}/0 has no value`);
  const divisor = gcd(n, d) * Math.sign(d);
  return { n: n === 0 ? 0 : n / divisor, d: d / divisor };
}

/** As in an answer: `7`, `-3`, `5/6`. */
export function formatRational(value: Rational): string {
  return value.d === 1 ? `${value.n}` : `${value.n}/${value.d}`;
}

/** @throws {SyntaxError} when the text is outside of the grammar above */
function parseQuestion(text: string): Question {
  const at = /^x=(-?\d+), (.*)$/.exec(text);
  if (at) return { kind: 'at', x: Number(at[1]), of: parseSum(at[2] ?? '') };
  const whole = /^(.*) (mod|div) (\d+)$/.exec(text);
  if (whole) return { kind: whole[2] === 'mod' ? 'mod' : 'div', of: parseSum(whole[1] ?? ''), by: Number(whole[3]) };
  const sides = text.split('=');
  if (sides.length === 2) return { kind: 'solve', left: parseSum(sides[0] ?? ''), right: parseSum(sides[1] ?? '') };
  return { kind: 'value', of: parseSum(text) };
}

function parseSum(text: string): Node {
  const tokens = text.match(/\d+|gcd|mean|[a-z]|[^\s\w]/g) ?? [];
  if (tokens.join('') !== text) throw new SyntaxError(`"${text}" holds a character outside of the grammar`);
  let next = 0;
  const accept = (token: string): boolean => tokens[next] === token && ++next > 0;
  const expect = (token: string): void => {
    if (!accept(token)) throw new SyntaxError(`"${text}": ${token} expected, found ${tokens[next] ?? 'the end'}`);
  };

  const sum = (): Node => {
    const terms: { sign: 1 | -1; node: Node }[] = [{ sign: accept('-') ? -1 : 1, node: product() }];
    for (;;) {
      if (accept('+')) terms.push({ sign: 1, node: product() });
      else if (accept('-')) terms.push({ sign: -1, node: product() });
      else return terms.length === 1 && terms[0]?.sign === 1 ? terms[0].node : { kind: 'sum', terms };
    }
  };
  const product = (): Node => {
    const factors = [{ inverse: false, node: power() }];
    for (;;) {
      const token = tokens[next] ?? '';
      if (accept('*')) factors.push({ inverse: false, node: power() });
      else if (accept('/')) factors.push({ inverse: true, node: power() });
      else if (/^[a-z(]/.test(token)) factors.push({ inverse: false, node: power() });
      else return factors.length === 1 && factors[0] ? factors[0].node : { kind: 'product', factors };
    }
  };
  const power = (): Node => {
    const base = atom();
    return accept('^') ? { kind: 'power', base, exponent: integer() } : base;
  };
  const integer = (): number => {
    const token = tokens[next++] ?? '';
    if (!/^\d+$/.test(token)) throw new SyntaxError(`"${text}": a number expected, found ${token || 'the end'}`);
    return Number(token);
  };
  const atom = (): Node => {
    if (accept('x')) return { kind: 'x' };
    for (const name of ['gcd', 'mean'] as const) {
      if (!accept(name)) continue;
      expect('(');
      const args = [sum()];
      while (accept(',')) args.push(sum());
      expect(')');
      return { kind: 'call', name, args };
    }
    if (accept('(')) {
      const inner = sum();
      expect(')');
      return inner;
    }
    return { kind: 'integer', value: integer() };
  };

  const node = sum();
  if (next !== tokens.length) throw new SyntaxError(`"${text}": ${tokens[next]} was not expected`);
  return node;
}

/** The exact answer of a question. @throws {RangeError} when it has none, or not one */
export function evaluate(text: string): Rational {
  const question = parseQuestion(text);
  if (question.kind === 'value') return nodeValue(question.of, undefined);
  if (question.kind === 'at') return nodeValue(question.of, rational(question.x));
  if (question.kind !== 'solve') {
    const { n, d } = nodeValue(question.of, undefined);
    if (d !== 1) throw new RangeError(`"${text}": a fraction divided with a remainder`);
    const quotient = Math.floor(n / question.by);
    return rational(question.kind === 'div' ? quotient : n - quotient * question.by);
  }
  const gap = (x: number): Rational =>
    add(nodeValue(question.left, rational(x)), negate(nodeValue(question.right, rational(x))));
  const slope = add(gap(1), negate(gap(0)));
  const bend = add(add(gap(2), negate(gap(1))), negate(slope));
  if (slope.n === 0 || bend.n !== 0) throw new RangeError(`"${text}" has not exactly one solution by linear means`);
  return multiply(negate(gap(0)), invert(slope));
}

const add = (a: Rational, b: Rational): Rational => rational(a.n * b.d + b.n * a.d, a.d * b.d);
const multiply = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d);
const negate = (a: Rational): Rational => rational(-a.n, a.d);
const invert = (a: Rational): Rational => rational(a.d, a.n);

function nodeValue(node: Node, x: Rational | undefined): Rational {
  switch (node.kind) {
    case 'integer':
      return rational(node.value);
    case 'x':
      if (x === undefined) throw new RangeError('x has no value here');
      return x;
    case 'sum':
      return node.terms
        .map((term) => (term.sign === 1 ? nodeValue(term.node, x) : negate(nodeValue(term.node, x))))
        .reduce(add);
    case 'product':
      return node.factors
        .map((factor) => (factor.inverse ? invert(nodeValue(factor.node, x)) : nodeValue(factor.node, x)))
        .reduce(multiply);
    case 'power':
      return Array.from({ length: node.exponent }, () => nodeValue(node.base, x)).reduce(multiply, rational(1));
    case 'call': {
      const args = node.args.map((arg) => nodeValue(arg, x));
      if (node.name === 'mean') return multiply(args.reduce(add), rational(1, args.length));
      return rational(args.map((arg) => arg.n).reduce(gcd));
    }
  }
}

/** The same text for questions that differ only in the order of addends, factors, arguments or sides. */
export function canonical(text: string): string {
  const question = parseQuestion(text);
  if (question.kind === 'value') return formOf(question.of);
  if (question.kind === 'at') return `x=${question.x}, ${formOf(question.of)}`;
  if (question.kind === 'solve') return [formOf(question.left), formOf(question.right)].sort().join('=');
  return `${formOf(question.of)} ${question.kind} ${question.by}`;
}

function formOf(node: Node): string {
  switch (node.kind) {
    case 'integer':
      return `${node.value}`;
    case 'x':
      return 'x';
    case 'sum':
      return `(${termsOf(node, 1).sort().join('')})`;
    case 'product':
      return `[${factorsOf(node, false).sort().join('')}]`;
    case 'power':
      return `${formOf(node.base)}^${node.exponent}`;
    case 'call':
      return `${node.name}(${node.args.map(formOf).sort().join(',')})`;
  }
}

/** Signed addends of nested sums: a-(b-c) and a+c-b have the same. */
function termsOf(node: Node, sign: 1 | -1): string[] {
  if (node.kind !== 'sum') return [`${sign === 1 ? '+' : '-'}${formOf(node)}`];
  return node.terms.flatMap((term) => termsOf(term.node, term.sign === sign ? 1 : -1));
}

function factorsOf(node: Node, inverse: boolean): string[] {
  if (node.kind !== 'product') return [`${inverse ? '/' : '*'}${formOf(node)}`];
  return node.factors.flatMap((factor) => factorsOf(factor.node, factor.inverse !== inverse));
}
