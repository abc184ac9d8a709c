/**
 * The output of an evaluation: a question a line, in the order of benchmarks and rows, there when it is whole. Until then questions are
 * collected in `<file>.unfinished` behind a line that says what was evaluated and how; an interrupted evaluation goes on from it. What is no
 * plain file, as /dev/stdout, gets the lines at the end, and cannot be resumed.
 */
import { type FileHandle, mkdir, open, rm, truncate } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { LimrError } from '../errors.js';
import { checkFilePlace, exists, readTextIfThere, temporaryPath, withIo, writeDurably } from '../files.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type Lock, lockFile } from '../run/lock.js';
import { type QuestionRecord, questionRecord } from './question-record.js';

export class QuestionFile {
  private constructor(
    private readonly file: string,
    /** Of the unfinished file, where there is one. */
    private readonly handle: FileHandle | undefined,
    private readonly lock: Lock | undefined,
    /** Questions of the evaluation that was interrupted. */
    readonly done: readonly QuestionRecord[],
  ) {}

  /**
   * What `open` would refuse whatever is evaluated, before a model is loaded for it.
   * @throws {LimrError} LIMR_USAGE for another ending than .jsonl, nothing to resume, or something that was not asked to be resumed;
   *   LIMR_IO where it cannot be written
   */
  static async check(file: string, resume: boolean): Promise<void> {
    await checkFilePlace(file);
    if (await isDirect(file)) {
      if (!resume) return;
      throw new LimrError('LIMR_USAGE', `${file} is no plain file, and so cannot be resumed`, 'Leave --resume out.');
    }
    if (extname(file).toLowerCase() !== '.jsonl') {
      throw new LimrError(
        'LIMR_USAGE',
        `--output is ${file}, expected a .jsonl file`,
        'A line for every question goes there.',
      );
    }
    checkResumption(await exists(unfinishedPath(file)), file, resume);
  }

  /**
   * @param identity what decides the records: a resumed evaluation has the same
   * @throws {LimrError} LIMR_USAGE when there is nothing to resume, something that was not asked to be resumed, or another evaluation;
   *   LIMR_LOCKED while another process writes it; LIMR_FORMAT when it is damaged; LIMR_IO
   */
  static async open(file: string, identity: JsonObject, resume: boolean): Promise<QuestionFile> {
    if (await isDirect(file)) return new QuestionFile(file, undefined, undefined, []);
    const unfinished = unfinishedPath(file);
    await withIo(`write ${unfinished}`, () => mkdir(dirname(file), { recursive: true }));
    const lock = await lockFile(file);
    try {
      const text = await readTextIfThere(unfinished);
      checkResumption(text !== undefined, file, resume);
      const whole = text?.slice(0, text.lastIndexOf('\n') + 1) ?? ''; // the last line may be half there
      const isNew = whole === '';
      const done = isNew ? [] : readDone(whole, unfinished, identity);
      const handle = await withIo(`write ${unfinished}`, async () => {
        if (!isNew) await truncate(unfinished, Buffer.byteLength(whole));
        const opened = await open(unfinished, isNew ? 'w' : 'a');
        if (isNew) await opened.appendFile(`${JSON.stringify({ evaluation: identity })}\n`);
        return opened;
      });
      return new QuestionFile(file, handle, lock, done);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Where the questions are until the file is whole; undefined for what is no plain file. */
  get unfinished(): string | undefined {
    return this.handle === undefined ? undefined : unfinishedPath(this.file);
  }

  async add(record: QuestionRecord): Promise<void> {
    await withIo(`write ${this.file}`, async () => this.handle?.appendFile(`${JSON.stringify(record)}\n`));
  }

  /** Writes the file. @param records all of them, in their order */
  async finish(records: readonly QuestionRecord[]): Promise<void> {
    await writeDurably(this.file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const { unfinished } = this;
    if (unfinished !== undefined) await withIo(`remove ${unfinished}`, () => rm(unfinished));
  }

  /** What is not finished stays for `--resume`. */
  async close(): Promise<void> {
    await this.handle?.close();
    await this.lock?.release();
  }
}

const unfinishedPath = (file: string): string => `${file}.unfinished`;

/** Whether a file is written to as it is. */
const isDirect = async (file: string): Promise<boolean> => (await temporaryPath(file)) === file;

function checkResumption(isThere: boolean, file: string, resume: boolean): void {
  const unfinished = unfinishedPath(file);
  if (!isThere && resume) {
    throw new LimrError('LIMR_USAGE', `there is no ${unfinished} to resume`, 'Leave --resume out.');
  }
  if (isThere && !resume) {
    throw new LimrError(
      'LIMR_USAGE',
      `${unfinished} is an evaluation that was interrupted`,
      'Go on with it by --resume, or remove it.',
    );
  }
}

function readDone(text: string, file: string, identity: JsonObject): QuestionRecord[] {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const header = parseLine(head, `${file}:1`);
  if (!isObject(header) || !isObject(header.evaluation)) {
    throw new LimrError('LIMR_FORMAT', `${file} does not say what was evaluated`, 'Remove it, and evaluate again.');
  }
  const { evaluation } = header;
  const differing = [...new Set([...Object.keys(evaluation), ...Object.keys(identity)])].filter(
    (key) => JSON.stringify(evaluation[key]) !== JSON.stringify(identity[key]),
  );
  if (differing.length > 0) {
    const shown = differing.map(
      (key) => `${key} was ${JSON.stringify(evaluation[key])}, is ${JSON.stringify(identity[key])}`,
    );
    throw new LimrError(
      'LIMR_USAGE',
      `${file} is another evaluation: ${shown.join('; ')}`,
      'Give the settings that it began with, or another --output.',
    );
  }
  return lines.map((line, i) => {
    const where = `${file}:${i + 2}`;
    const fields = parseLine(line, where);
    if (!isObject(fields)) throw new LimrError('LIMR_FORMAT', `${where} is not an object`, 'Remove the file.');
    return questionRecord({ fields, where });
  });
}

function parseLine(line: string, where: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch {
    throw new LimrError('LIMR_FORMAT', `${where} is not JSON`, 'Remove the file, and evaluate again.');
  }
}
