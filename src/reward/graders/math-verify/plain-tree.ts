import type { Node } from '../../maths/index.js';
import { parseAnswer } from '../../maths/index.js';
import { mathVerifyDialect } from './dialect.js';

export function expressionTree(text: string): Node | null {
  return parseAnswer(text.replace(/\*\*/g, '^'), mathVerifyDialect)?.tree ?? null;
}

export function numberTree(text: string, percent: boolean): Node | null {
  const tree = parseAnswer(text, mathVerifyDialect)?.tree ?? null;
  return tree && (percent ? { kind: 'percent', inner: tree } : tree);
}
