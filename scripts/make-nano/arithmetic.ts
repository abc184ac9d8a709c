/** Families of problems with whole numbers. Ranges are chosen so that every level of a family has hundreds of problems. */
import {
  addColumns,
  type Draft,
  divisionStep,
  drawUntil,
  type Family,
  longDivision,
  multiplyByDigit,
  subtractColumns,
} from './problem.js';
import type { Random } from './random.js';

function sum(terms: readonly number[]): Draft {
  return { question: terms.join('+'), steps: addColumns(terms), answer: `${terms.reduce((a, b) => a + b)}` };
}

export const addition: Family = {
  source: 'addition',
  draw: {
    1: (random) => sum([random.int(11, 99), random.int(2, 9)]),
    2: (random) => sum([random.int(11, 99), random.int(11, 99)]),
    3: (random) => sum([random.int(101, 999), random.int(11, 999)]),
    4: (random) => sum([random.int(101, 999), random.int(11, 999), random.int(11, 99)]),
    5: (random) => sum([random.int(1001, 9999), random.int(101, 9999)]),
  },
};

function difference(a: number, b: number): Draft {
  const [large, small] = a > b ? [a, b] : [b, a];
  return { question: `${large}-${small}`, steps: subtractColumns(large, small), answer: `${large - small}` };
}

export const subtraction: Family = {
  source: 'subtraction',
  draw: {
    1: (random) => difference(random.int(11, 99), random.int(2, 9)),
    2: (random) => difference(random.int(11, 99), random.int(11, 99)),
    3: (random) => difference(random.int(101, 999), random.int(11, 99)),
    4: (random) => difference(random.int(101, 999), random.int(101, 999)),
    5: (random) => difference(random.int(1001, 9999), random.int(101, 9999)),
  },
};

function product(a: number, digit: number): Draft {
  return { question: `${a}*${digit}`, steps: multiplyByDigit(a, digit), answer: `${a * digit}` };
}

/** Two digits by two: both partial products by columns, then their sum in one line. */
function longProduct(a: number, b: number): Draft {
  const [units, tens] = [b % 10, Math.floor(b / 10)];
  const partials = `${a * units}+${a * tens * 10}=${a * b}`;
  return {
    question: `${a}*${b}`,
    steps: [...multiplyByDigit(a, units), ...multiplyByDigit(a, tens), partials],
    answer: `${a * b}`,
  };
}

export const multiplication: Family = {
  source: 'multiplication',
  draw: {
    1: (random) => product(random.int(11, 99), random.int(2, 5)),
    2: (random) => product(random.int(11, 99), random.int(3, 9)),
    3: (random) => product(random.int(101, 999), random.int(3, 9)),
    4: (random) => product(random.int(1001, 9999), random.int(3, 9)),
    5: (random) =>
      longProduct(
        random.int(12, 49),
        drawUntil(
          () => random.int(12, 49),
          (b) => b % 10 > 1,
        ),
      ),
  },
};

function quotient(a: number, b: number): Draft {
  return { question: `${a} div ${b}`, steps: longDivision(a, b), answer: `${Math.floor(a / b)}` };
}

/** Whole quotients. The question is no fraction, since its own text would then be a right answer. */
export const division: Family = {
  source: 'division',
  draw: {
    2: (random) => quotient(random.int(101, 299), random.int(3, 9)),
    3: (random) => quotient(random.int(301, 999), random.int(3, 9)),
    4: (random) => quotient(random.int(1001, 9999), random.int(3, 9)),
    5: (random) => quotient(random.int(1001, 9999), random.int(11, 15)),
  },
};

function remainder(a: number, b: number): Draft {
  return { question: `${a} mod ${b}`, steps: longDivision(a, b), answer: `${a % b}` };
}

export const remainders: Family = {
  source: 'remainder',
  draw: {
    1: (random) => remainder(random.int(11, 99), random.int(3, 9)),
    2: (random) => remainder(random.int(101, 299), random.int(3, 9)),
    3: (random) => remainder(random.int(301, 999), random.int(3, 9)),
    4: (random) => remainder(random.int(1001, 9999), random.int(3, 9)),
    5: (random) => remainder(random.int(201, 999), random.int(11, 19)),
  },
};

/** Terms with a whole mean: running sums, then the division. */
function mean(random: Random, count: number, high: number): Draft {
  const terms = drawUntil(
    () => Array.from({ length: count }, () => random.int(5, high)),
    (list) => list.reduce((a, b) => a + b) % count === 0,
  );
  const steps: string[] = [];
  const total = terms.reduce((a, b) => {
    steps.push(`${a}+${b}=${a + b}`);
    return a + b;
  });
  return {
    question: `mean(${terms.join(',')})`,
    steps: [...steps, `${total}/${count}=${total / count}`],
    answer: `${total / count}`,
  };
}

export const means: Family = {
  source: 'mean',
  draw: {
    2: (random) => mean(random, 2, 60),
    3: (random) => mean(random, 3, 40),
    4: (random) => mean(random, 4, 40),
    5: (random) => mean(random, 5, 40),
  },
};

/** Order of operations: one operation a line. */
export const order: Family = {
  source: 'order',
  draw: {
    1: (random) => {
      const [a, b] = [random.int(5, 30), random.int(5, 30)];
      const c = random.int(2, Math.min(a + b - 1, 20));
      return { question: `${a}+${b}-${c}`, steps: [`${a}+${b}=${a + b}`], answer: `${a + b - c}` };
    },
    2: (random) => {
      const [a, b, c] = [random.int(2, 40), random.int(2, 9), random.int(2, 9)];
      return {
        question: `${a}+${b}*${c}`,
        steps: [`${b}*${c}=${b * c}`, `${a}+${b * c}=${a + b * c}`],
        answer: `${a + b * c}`,
      };
    },
    3: (random) => {
      const [a, b, c, d] = [random.int(2, 9), random.int(2, 9), random.int(2, 9), random.int(2, 40)];
      const inner = (a + b) * c;
      const value = inner - d;
      return {
        question: `(${a}+${b})*${c}-${d}`,
        steps: [`${a}+${b}=${a + b}`, `${a + b}*${c}=${inner}`, `${inner}-${d}=${value}`],
        answer: `${value}`,
      };
    },
    4: (random) => {
      const [a, b, c, d] = [random.int(3, 9), random.int(3, 9), random.int(3, 9), random.int(3, 9)];
      const sign = random.pick(['+', '-']);
      const value = sign === '+' ? a * b + c * d : a * b - c * d;
      return {
        question: `${a}*${b}${sign}${c}*${d}`,
        steps: [`${a}*${b}=${a * b}`, `${c}*${d}=${c * d}`, `${a * b}${sign}${c * d}=${value}`],
        answer: `${value}`,
      };
    },
    5: (random) => {
      const [a, b, c, d, e] = [9, 12, 9, 9, 9].map((high) => random.int(3, high)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const inner = c * (d + e);
      const value = a * b - inner;
      return {
        question: `${a}*${b}-${c}*(${d}+${e})`,
        steps: [`${a}*${b}=${a * b}`, `${d}+${e}=${d + e}`, `${c}*${d + e}=${inner}`, `${a * b}-${inner}=${value}`],
        answer: `${value}`,
      };
    },
  },
};

/** Residues first, then the operation on them, then the residue of that. */
function modular(a: number, operator: '+' | '*', b: number, modulus: number): Draft {
  const [left, right] = [a % modulus, b % modulus];
  const value = operator === '+' ? left + right : left * right;
  return {
    question: `${a}${operator}${b} mod ${modulus}`,
    steps: [
      divisionStep(a, modulus),
      divisionStep(b, modulus),
      `${left}${operator}${right}=${value}`,
      divisionStep(value, modulus),
    ],
    answer: `${value % modulus}`,
  };
}

/** A power by repeated multiplication, each product reduced at once. */
function modularPower(base: number, exponent: number, modulus: number): Draft {
  const steps: string[] = [];
  let value = base % modulus;
  for (let i = 1; i < exponent; i++) {
    const next = value * base;
    steps.push(divisionStep(next, modulus));
    value = next % modulus;
  }
  return { question: `${base}^${exponent} mod ${modulus}`, steps, answer: `${value}` };
}

export const modulars: Family = {
  source: 'modular',
  draw: {
    3: (random) => modular(random.int(11, 99), '+', random.int(11, 99), random.int(4, 9)),
    4: (random) => modular(random.int(11, 99), '*', random.int(11, 99), random.int(5, 12)),
    5: (random) => {
      const modulus = random.int(7, 17);
      return modularPower(random.int(2, modulus - 1), random.int(3, 5), modulus);
    },
  },
};
