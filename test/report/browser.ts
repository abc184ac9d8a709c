/** A real browser for tests of pages: LIMR_TEST_CHROMIUM, or the Chromium of the system; undefined where there is none. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** @throws {Error} when LIMR_TEST_CHROMIUM names no program: there a skipped test would pass unseen */
export function chromiumPath(): string | undefined {
  const named = process.env.LIMR_TEST_CHROMIUM;
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named;
    throw new Error(`LIMR_TEST_CHROMIUM is ${named}, which is no program`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
