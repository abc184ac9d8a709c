/** Mathematics of answers: from LaTeX or plain text to a tree, and whether two trees are equal. */
export { type CompareReason, type CompareVerdict, compareAnswers } from './compare.js';
export { type Dialect, standardDialect } from './dialect.js';
export { parseAnswer } from './parse.js';
export { withVariablesOfItsOwn } from './rename.js';
export { type Rules, standardRules } from './rules.js';
export type { Answer, Node } from './tree.js';
export { plainWords } from './words.js';
