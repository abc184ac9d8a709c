import { completeOptions } from '../../config.js';
import { sftRunOptions } from '../../launch/options.js';
import { sftOptions } from '../../sft/config.js';
import type { SftEvent } from '../../sft/train.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Progress, Terminal } from '../terminal.js';
import type { Verb } from '../verb.js';

export const sftVerb: Verb = {
  name: 'sft',
  summary: summaries.sft,
  options: { ...sftRunOptions, ...sftOptions },
  about: [
    'Rows {prompt, response} train the response (with --train-on-prompt all of it), {text} and {tokens} train every token. Examples are packed into micro-batches of --micro-train-max-tokens; the loss is the mean over all counted tokens of an optimizer step.',
    'The trained model is a Hugging Face folder, in bf16, with the tokenizer of --model. It is written at the end; after SIGINT, with what was learned so far.',
  ],
  examples: [
    ['Fine-tune the embedded model', 'limr-engine sft --data examples.jsonl --output models/tuned'],
    [
      'Pre-train on whole texts, a thousand steps, however many passes these are',
      'limr-engine sft --data corpus.jsonl --output models/pretrained --train-on-prompt --learning-rate 1e-3 --max-steps 1000',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchSft } = await import('../../launch/sft.js');
    const run = completeOptions(sftRunOptions, given);
    const config = completeOptions(sftOptions, given);
    const progress = new SftProgress(terminal);
    const result = await launchSft(run, config, chooseMachine(run), {
      signal,
      ...hubHooks(terminal),
      observe: (event) => progress.observe(event),
      onRead: (examples, tokens) => progress.read(examples, tokens),
      remark: (text) => terminal.say(text, 'warn'),
    });
    progress.end();
    const [before, after] = [result.heldoutLosses.at(0)?.loss, result.heldoutLosses.at(-1)?.loss];
    const heldout = after === undefined ? '' : `, held-out loss ${before?.toFixed(4)} -> ${after.toFixed(4)}`;
    return {
      json: result,
      lines: [
        `${result.steps} steps over ${result.examples} examples: loss ${result.trainLoss.toFixed(4)}${heldout}`,
        `the model is in ${result.output}`,
      ],
    };
  },
};

/** A bar of steps; a line for every held-out loss. */
class SftProgress {
  private bar: Progress | undefined;

  constructor(private readonly terminal: Terminal) {}

  read(examples: number, tokens: number): void {
    this.terminal.say(`read ${examples} examples, ${tokens} tokens`, 'debug');
  }

  observe(event: SftEvent): void {
    switch (event.type) {
      case 'start':
        this.terminal.say(
          `${event.steps} steps over ${event.trainExamples} examples, ${event.heldoutExamples} held out`,
        );
        this.bar = this.terminal.progress('training', event.steps);
        return;
      case 'step': {
        const speed = Math.round(event.tokens / event.seconds);
        const note = `loss ${event.loss.toFixed(4)}, ${speed} tokens/s`;
        this.bar?.update(event.step, note);
        return;
      }
      case 'skipped_step':
        this.terminal.say(`step ${event.step} was skipped: ${event.op} is not finite`, 'warn');
        return;
      case 'evaluation':
        this.terminal.say(`step ${event.step}: held-out loss ${event.heldoutLoss.toFixed(4)}`);
        return;
    }
  }

  end(): void {
    this.bar?.end();
  }
}
