/**
 * Easy prompts for a first training of a small chat model: all additions of two numbers from 1 to 20.
 *   tsx scripts/additions/make.ts FOLDER    train.jsonl (300) and heldout.jsonl (100): {id, prompt, answer, level}
 * Level 1: both numbers have one digit; 2: one of them; 3: neither.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Random } from '../make-nano/random.js';

const seed = 1;

const largest = 20;
const heldoutSize = 100;

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: tsx scripts/additions/make.ts FOLDER');
  process.exit(2);
}

const random = new Random(seed, 'train', 0);
const rows = Array.from({ length: largest * largest }, (_, i) => {
  const [a, b] = [1 + Math.floor(i / largest), 1 + (i % largest)];
  const prompt = `What is ${a} + ${b}? Give only the number.`;
  const level = 1 + Number(a > 9) + Number(b > 9);
  return { order: random.unit(), line: JSON.stringify({ id: `${a}+${b}`, prompt, answer: String(a + b), level }) };
});
const lines = rows.sort((one, other) => one.order - other.order).map(({ line }) => line);
mkdirSync(folder, { recursive: true });
const write = (name: string, part: readonly string[]) => writeFileSync(path.join(folder, name), `${part.join('\n')}\n`);
write('heldout.jsonl', lines.slice(0, heldoutSize));
write('train.jsonl', lines.slice(heldoutSize));
