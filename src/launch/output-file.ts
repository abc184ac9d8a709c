/** Checks of the files that a verb is asked to write, before the work that fills them. */
import { realpath } from 'node:fs/promises';
import { dataFiles } from '../dataset/data-files.js';
import { LimrError } from '../errors.js';
import { checkFilePlace } from '../files.js';

/**
 * Refuses a place where no file can be written, and one of the verb's own input.
 * @param flag "--output"
 * @param file "" = none is asked for
 * @param inputs data sets that the verb reads, by flag; "" = none
 * @throws {LimrError} LIMR_IO; LIMR_USAGE when it is an input
 */
export async function checkOutputFile(
  flag: string,
  file: string,
  inputs: Readonly<Record<string, string>>,
): Promise<void> {
  if (file === '') return;
  await checkFilePlace(file);
  const place = await realpath(file).catch(() => undefined); // nothing is there yet
  if (place === undefined) return;
  for (const [name, path] of Object.entries(inputs)) {
    if (path === '') continue;
    for (const input of await dataFiles(path)) {
      if ((await realpath(input).catch(() => undefined)) !== place) continue;
      throw new LimrError('LIMR_USAGE', `${flag} is ${file}, which ${name} reads`, 'Name another file.');
    }
  }
}
