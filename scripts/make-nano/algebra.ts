/** Families of problems with fractions, divisors and an unknown. */
import { formatRational, gcd, rational } from './expression.js';
import { type Draft, divisionStep, drawUntil, type Family } from './problem.js';
import type { Random } from './random.js';

/** Euclid's algorithm, one division a line. @returns the lines, for a > b > 0 */
function euclid(a: number, b: number): string[] {
  const steps: string[] = [];
  for (let [u, v] = [a, b]; v > 0; [u, v] = [v, u % v]) steps.push(divisionStep(u, v));
  return steps;
}

/** Two numbers up to `high` with a common divisor above 1, whose Euclid takes `low` to `most` divisions. */
function divisor(random: Random, high: number, low: number, most: number): Draft {
  const draft = drawUntil(
    () => {
      const common = random.int(2, 12);
      const p = random.int(2, Math.floor(high / common));
      const q = random.int(1, p - 1);
      return { a: p * common, b: q * common, steps: euclid(p * common, q * common) };
    },
    ({ steps }) => steps.length >= low && steps.length <= most,
  );
  return {
    question: `gcd(${draft.a},${draft.b})`,
    steps: draft.steps,
    answer: `${gcd(draft.a, draft.b)}`,
  };
}

export const divisors: Family = {
  source: 'gcd',
  draw: {
    2: (random) => divisor(random, 80, 1, 2),
    3: (random) => divisor(random, 99, 2, 3),
    4: (random) => divisor(random, 150, 3, 4),
    5: (random) => divisor(random, 200, 4, 5),
  },
};

const signed = (n: number): string => (n < 0 ? `-${-n}` : `+${n}`);

/** ax + b = cx + d by collecting x on the left; `before` are the lines that lead to this form. */
function linear(question: string, a: number, b: number, c: number, d: number, before: readonly string[] = []): Draft {
  const steps = [...before];
  const value = (d - b) / (a - c);
  if (c !== 0) steps.push(`${a}x${signed(-c)}x=${d}${signed(-b)}`);
  steps.push(c === 0 ? `${a}x=${d}${signed(-b)}=${d - b}` : `${a - c}x=${d - b}`);
  steps.push(`x=${d - b}/${a - c}`);
  return { question, steps, answer: `${value}` };
}

export const equations: Family = {
  source: 'linear',
  draw: {
    1: (random) => {
      const [x, b] = [random.int(3, 70), random.int(3, 60)];
      return random.int(0, 1) === 0
        ? { question: `x+${b}=${x + b}`, steps: [`x=${x + b}-${b}`], answer: `${x}` }
        : { question: `x-${b}=${x}`, steps: [`x=${x}+${b}`], answer: `${x + b}` };
    },
    2: (random) => {
      const [a, x, b] = [random.int(2, 9), random.int(2, 12), random.int(2, 30)];
      return linear(`${a}x+${b}=${a * x + b}`, a, b, 0, a * x + b);
    },
    3: (random) => {
      const [a, x, b] = [random.int(2, 9), random.int(2, 30), -random.int(2, 60)];
      return linear(`${a}x${signed(b)}=${a * x + b}`, a, b, 0, a * x + b);
    },
    4: (random) => {
      const [c, more, x, b] = [random.int(2, 6), random.int(2, 6), random.int(2, 20), random.int(2, 40)];
      const [a, d] = [c + more, more * x + b];
      return linear(`${a}x+${b}=${c}x+${d}`, a, b, c, d);
    },
    5: (random) => {
      const [c, more, inner] = [random.int(2, 5), random.int(2, 5), random.int(2, 12)];
      const a = c + more;
      const shift = random.pick([inner, -inner]);
      const x = drawUntil(
        () => random.int(-12, 20),
        (value) => a * shift + more * value !== 0,
      );
      const d = a * shift + more * x;
      return linear(`${a}(x${signed(shift)})=${c}x${signed(d)}`, a, a * shift, c, d, [
        `${a}x${signed(a * shift)}=${c}x${signed(d)}`,
      ]);
    },
  },
};

interface Fraction {
  readonly n: number;
  readonly d: number;
}

/** n/d in lowest terms with 2 <= d <= high and 1 <= n <= most. */
function fraction(random: Random, high: number, most: number): Fraction {
  return drawUntil(
    () => ({ n: random.int(1, most), d: random.int(2, high) }),
    ({ n, d }) => n !== d && gcd(n, d) === 1,
  );
}

/**
 * a + b or a - b by cross-multiplication, for denominators without a common divisor: the result is in lowest terms, and
 * there is one way to write it.
 */
function sumOfFractions(a: Fraction, operator: '+' | '-', b: Fraction): Draft {
  const [left, right, below] = [a.n * b.d, b.n * a.d, a.d * b.d];
  const above = operator === '+' ? left + right : left - right;
  return {
    question: `${a.n}/${a.d}${operator}${b.n}/${b.d}`,
    steps: [
      `${a.n}*${b.d}=${left}`,
      `${b.n}*${a.d}=${right}`,
      `${a.d}*${b.d}=${below}`,
      `${left}${operator}${right}=${above}`,
    ],
    answer: formatRational(rational(above, below)),
  };
}

function drawSumOfFractions(random: Random, high: number, most: number): Draft {
  const [a, b] = drawUntil(
    () => [fraction(random, high, most), fraction(random, high, most)] as const,
    ([first, second]) => gcd(first.d, second.d) === 1,
  );
  return sumOfFractions(a, random.pick(['+', '-']), b);
}

export const fractions: Family = {
  source: 'fraction',
  draw: {
    2: (random) => {
      const { n, d } = fraction(random, 9, 9);
      const part = random.int(2, 20);
      return {
        question: `${n}/${d}*${d * part}`,
        steps: [`${d * part}/${d}=${part}`, `${n}*${part}=${n * part}`],
        answer: `${n * part}`,
      };
    },
    3: (random) => drawSumOfFractions(random, 6, 6),
    4: (random) => drawSumOfFractions(random, 9, 9),
    5: (random) => drawSumOfFractions(random, 12, 12),
  },
};

/** The value of a polynomial at x, one operation a line. Coefficients from the square down. */
function polynomial(x: number, square: number, factor: number, constant: number): Draft {
  const steps: string[] = [];
  const parts: number[] = [];
  let text = '';
  const append = (coefficient: number, power: string): void => {
    text += `${text === '' ? `${coefficient}` : signed(coefficient)}${power}`;
  };
  if (square !== 0) {
    append(square, 'x^2');
    steps.push(`${Math.abs(x)}*${Math.abs(x)}=${x * x}`, `${square}*${x * x}=${square * x * x}`);
    parts.push(square * x * x);
  }
  if (factor !== 0) {
    append(factor, 'x');
    steps.push(`${Math.abs(factor)}*${Math.abs(x)}=${Math.abs(factor * x)}`);
    parts.push(factor * x);
  }
  if (constant !== 0) {
    append(constant, '');
    parts.push(constant);
  }
  const value = parts.reduce((a, b) => {
    steps.push(`${a}${signed(b)}=${a + b}`);
    return a + b;
  });
  return { question: `x=${x}, ${text}`, steps, answer: `${value}` };
}

export const polynomials: Family = {
  source: 'evaluate',
  draw: {
    1: (random) => polynomial(random.int(2, 9), 0, random.int(2, 9), random.int(2, 20)),
    2: (random) => polynomial(random.int(3, 12), 0, random.int(2, 9), random.pick([-1, 1]) * random.int(2, 40)),
    3: (random) => polynomial(random.int(2, 9), random.int(2, 9), 0, random.pick([-1, 1]) * random.int(2, 40)),
    4: (random) => polynomial(random.int(2, 9), random.int(2, 9), random.pick([-1, 1]) * random.int(2, 9), 0),
    5: (random) =>
      polynomial(
        random.pick([-1, 1]) * random.int(2, 9),
        random.int(2, 9),
        random.pick([-1, 1]) * random.int(2, 9),
        random.pick([-1, 1]) * random.int(2, 30),
      ),
  },
};
