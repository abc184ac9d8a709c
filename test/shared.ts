/** Reference data laid beside the checkout in ../shared: present under CI, perhaps absent elsewhere. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of a file of ../shared, or undefined where that folder is absent: `it.skipIf(file === undefined)(...)`.
 * @throws {Error} under CI=true when the file is missing: there a skipped test would pass unseen.
 */
export function sharedFile(name: string): string | undefined {
  const file = fileURLToPath(new URL(`../../shared/${name}`, import.meta.url));
  if (existsSync(file)) return file;
  if (process.env.CI === 'true') throw new Error(`../shared/${name} is missing, and CI=true`);
  return undefined;
}
