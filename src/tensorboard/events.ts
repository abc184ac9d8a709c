/**
 * What TensorBoard reads: events of a step, each a framed tensorflow.Event
 * (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto and summary.proto).
 */
import { escapeControls } from '../escape-controls.js';
import { type Histogram, histogram } from './histogram.js';
import { Message } from './message.js';
import { frame } from './record.js';

/** Values of one step, under their tags. */
export interface StepSummary {
  /** Shown as f32. Tags without a value (null: 0/0) have no point at this step. */
  readonly scalars?: Readonly<Record<string, number | null>>;
  /** Shown as it is, never as markup. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Finite numbers, at least one each. */
  readonly histograms?: Readonly<Record<string, Iterable<number>>>;
}

/** The first record of a file. `wallTime`: seconds since 1970. */
export function fileStart(wallTime: number): Buffer {
  return framed(new Message().double(1, wallTime).text(3, 'brain.Event:2'));
}

const sessionStart = 1;

/** A process begins with `step`: a TensorBoard that has read `step` or later ones before drops them. */
export function processStart(wallTime: number, step: number): Buffer {
  return framed(event(wallTime, step).message(7, new Message().integer(1, sessionStart)));
}

/** One event with all values of a step. */
export function stepEvent(wallTime: number, step: number, { scalars, texts, histograms }: StepSummary): Buffer {
  const summary = new Message();
  for (const [tag, value] of Object.entries(scalars ?? {}))
    if (value !== null) summary.message(1, new Message().text(1, tag).float(2, value));
  for (const [tag, values] of Object.entries(histograms ?? {}))
    summary.message(1, new Message().text(1, tag).message(5, histogramMessage(histogram(values))));
  for (const [tag, text] of Object.entries(texts ?? {})) summary.message(1, textValue(tag, text));
  return framed(event(wallTime, step).message(5, summary));
}

const event = (wallTime: number, step: number): Message => new Message().double(1, wallTime).integer(2, step);
const framed = (message: Message): Buffer => frame(message.encode());

function histogramMessage({ min, max, count, sum, sumOfSquares, limits, counts }: Histogram): Message {
  return new Message()
    .double(1, min)
    .double(2, max)
    .double(3, count)
    .double(4, sum)
    .double(5, sumOfSquares)
    .doubles(6, limits)
    .doubles(7, counts);
}

const stringType = 7;

/** A scalar string tensor of the text plugin. */
function textValue(tag: string, text: string): Message {
  const tensor = new Message().integer(1, stringType).message(2, new Message()).text(8, asCode(text));
  const metadata = new Message().message(1, new Message().text(1, 'text'));
  return new Message().text(1, tag).message(8, tensor).message(9, metadata);
}

/**
 * TensorBoard takes texts for Markdown. Lines indented by four spaces are code, where nothing is markup; control characters are
 * spelled out, also because Markdown's implementation gives some of them a meaning.
 */
export function asCode(text: string): string {
  return escapeControls(text)
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
