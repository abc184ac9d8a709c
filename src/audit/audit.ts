/**
 * Which reference answers can be graded at all. An answer against itself is the least that a grader can be asked; where even that
 * is not equal, under any spelling, no response can ever be right, and its prompt only teaches that nothing pays.
 */
import type { PairsItem, PairsResult } from '../reward/pairs-task.js';
import { type Category, categories, categoryOf } from './category.js';
import { respell } from './respell.js';

/** A row of a data set, as far as an audit reads it. */
export interface AuditedPrompt {
  readonly row: number;
  readonly id: string;
  readonly answer: string;
}

/** What one grader made of one answer. */
export interface AnswerAudit {
  /** Whether the answer equals itself, and the grader's word for it. */
  readonly verbatim: boolean;
  readonly reason: string;
  /** Whether a response that ends in the answer, boxed, is right. */
  readonly response: boolean;
  /** Respellings that apply, and the names of those that are refused. */
  readonly respellings: number;
  readonly refused: readonly string[];
  /** Whether nothing that was tried is right. */
  readonly never: boolean;
}

export interface AuditedAnswer extends AuditedPrompt {
  readonly category: Category;
  /** By grader. */
  readonly graders: Readonly<Record<string, AnswerAudit>>;
}

/** Grades by pairs, in the order of the graders. */
export type GradePairs = (item: PairsItem, name: string) => Promise<PairsResult>;

/** @param onProgress told of the distinct answers that are done, of how many */
export async function auditAnswers(
  prompts: readonly AuditedPrompt[],
  graders: readonly string[],
  grade: GradePairs,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<AuditedAnswer[]> {
  const first = new Map(prompts.map(({ answer, row }) => [answer, row] as const).reverse());
  let done = 0;
  const audits = new Map(
    await Promise.all(
      Array.from(first, async ([answer, row]) => {
        const audit = await auditAnswer(answer, graders, (item) => grade(item, `the answer of row ${row}`));
        onProgress(++done, first.size);
        return [answer, audit] as const;
      }),
    ),
  );
  return prompts.map(({ row, id, answer }) => ({ row, id, answer, ...audits.get(answer)! }));
}

async function auditAnswer(
  answer: string,
  graders: readonly string[],
  grade: (item: PairsItem) => Promise<PairsResult>,
): Promise<Pick<AuditedAnswer, 'category' | 'graders'>> {
  const respelled = respell(answer);
  const texts = [
    { text: answer, isResponse: false },
    { text: `So the answer is $\\boxed{${answer}}$.`, isResponse: true },
    ...respelled.map(({ text }) => ({ text, isResponse: false })),
  ];
  const grades = await grade({ gold: answer, texts });
  const audits = graders.map((grader, g) => {
    const [verbatim, response, ...others] = grades[g]!;
    const refused = respelled.flatMap(({ name }, i) => (others[i]!.equal ? [] : [name]));
    const audit: AnswerAudit = {
      verbatim: verbatim!.equal,
      reason: verbatim!.reason,
      response: response!.equal,
      respellings: respelled.length,
      refused,
      never: !verbatim!.equal && !response!.equal && refused.length === respelled.length,
    };
    return [grader, audit] as const;
  });
  return { category: categoryOf(answer), graders: Object.fromEntries(audits) };
}

/** Counts over answers of one category; shares are null where nothing was tried. */
export interface CategoryAudit {
  readonly category: Category | 'all';
  readonly answers: number;
  readonly never: number;
  readonly verbatim: number;
  /** Respellings tried, and accepted. */
  readonly respellings: number;
  readonly accepted: number;
}

export interface RespellingAudit {
  readonly respelling: string;
  readonly tried: number;
  readonly accepted: number;
}

export interface GraderAudit {
  readonly grader: string;
  readonly answers: number;
  readonly never: number;
  /** All first, then by category, in their order. */
  readonly categories: readonly CategoryAudit[];
  /** The most refused first. */
  readonly respellings: readonly RespellingAudit[];
  readonly neverRight: readonly (AuditedPrompt & { readonly category: Category; readonly reason: string })[];
}

/** What an audit says of one grader. */
export function summarizeAudit(audited: readonly AuditedAnswer[], grader: string): GraderAudit {
  const rows = audited.map((answer) => ({ ...answer, audit: answer.graders[grader]! }));
  const count = (category: CategoryAudit['category']): CategoryAudit => {
    const own = category === 'all' ? rows : rows.filter((row) => row.category === category);
    const sum = (of: (audit: AnswerAudit) => number) => own.reduce((total, { audit }) => total + of(audit), 0);
    return {
      category,
      answers: own.length,
      never: sum(({ never }) => Number(never)),
      verbatim: sum(({ verbatim }) => Number(verbatim)),
      respellings: sum(({ respellings }) => respellings),
      accepted: sum(({ respellings, refused }) => respellings - refused.length),
    };
  };
  const all = count('all');
  return {
    grader,
    answers: all.answers,
    never: all.never,
    categories: [all, ...categories.map(count).filter(({ answers }) => answers > 0)],
    respellings: byRespelling(rows),
    neverRight: rows
      .filter(({ audit }) => audit.never)
      .map(({ row, id, answer, category, audit }) => ({ row, id, answer, category, reason: audit.reason })),
  };
}

function byRespelling(rows: readonly { readonly answer: string; readonly audit: AnswerAudit }[]): RespellingAudit[] {
  const counts = new Map<string, { tried: number; refused: number }>();
  for (const { answer, audit } of rows) {
    for (const { name } of respell(answer)) {
      const own = counts.get(name) ?? { tried: 0, refused: 0 };
      own.tried += 1;
      own.refused += Number(audit.refused.includes(name));
      counts.set(name, own);
    }
  }
  return Array.from(counts, ([respelling, { tried, refused }]) => ({
    respelling,
    tried,
    accepted: tried - refused,
  })).sort((a, b) => b.tried - b.accepted - (a.tried - a.accepted) || a.respelling.localeCompare(b.respelling));
}

/** A sentence about answers of a set that do not even equal themselves under a comparator; undefined when all do. */
export function selfRemark(
  file: string,
  answers: readonly string[],
  grader: {
    readonly name: string;
    readonly compare: (gold: string, answer: string) => { readonly equal: boolean; readonly reason: string };
  },
): string | undefined {
  const verdicts = new Map([...new Set(answers)].map((answer) => [answer, grader.compare(answer, answer)] as const));
  const rows = answers.flatMap((answer, row) => (verdicts.get(answer)!.equal ? [] : [row]));
  const [first] = rows;
  if (first === undefined) return undefined;
  const share = ((100 * rows.length) / answers.length).toFixed(1);
  const { reason } = verdicts.get(answers[first]!)!;
  return (
    `${file}: under grader ${grader.name}, ${rows.length} of ${answers.length} answers (${share}%) are not equal even to ` +
    `themselves, so no response to them can be right (first: row ${first}, ${JSON.stringify(answers[first])}: ${reason}); ` +
    `limr-engine audit lists them`
  );
}
