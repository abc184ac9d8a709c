/** The section of samples: a search, and what it finds. */
import type { RunData, SampleCursor, SampleQuery, SampleView, Setting } from '../data.js';
import { field, h, replace, select, untrusted } from './dom.js';
import { count, short } from './numbers.js';
import { pageSamples, type SampleSource } from './sample-source.js';
import { colouredTokens, type TokenColour } from './tokens.js';

/** Characters of a prompt that are shown at once. */
const shortPrompt = 300;
/** Milliseconds after the last key before a search begins. */
const typingMs = 250;

export class SamplesSection {
  readonly element: HTMLElement;
  private readonly list = h('div', { class: 'samples' });
  private readonly status = h('p', { role: 'status' });
  private readonly more = h(
    'button',
    { type: 'button', class: 'no-print', onclick: () => void this.next() },
    'Show more',
  );
  private query: SampleQuery = {
    run: 0,
    split: 'train',
    text: '',
    graded: 'any',
    minReward: null,
    maxReward: null,
    fromRollout: null,
    toRollout: null,
  };
  private colour: TokenColour = 'none';
  private found: SampleView[] = [];
  private cursor: SampleCursor | null = null;
  private searched = 0;
  /** Counts searches: what an older one finds is of no use. */
  private turn = 0;
  private timer = 0;

  constructor(
    private runs: readonly RunData[],
    private readonly source: SampleSource,
    private readonly isLive: boolean,
  ) {
    const { train, test } = runs[0]!.samples.totals;
    if (train === 0 && test > 0) this.query = { ...this.query, split: 'test' };
    this.element = h(
      'section',
      { id: 'samples', 'aria-labelledby': 'samples-title' },
      h('h2', { id: 'samples-title' }, 'Samples'),
      this.controls(),
      this.status,
      this.list,
      this.more,
    );
    void this.search();
  }

  /** New samples are not put under the reader's eyes; the status says how many there are. */
  set(runs: readonly RunData[]): void {
    this.runs = runs;
    this.tell();
  }

  private controls(): HTMLElement {
    const change = (part: Partial<SampleQuery>): void => {
      this.query = { ...this.query, ...part };
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.search(), typingMs);
    };
    const number = (name: 'minReward' | 'maxReward' | 'fromRollout' | 'toRollout'): HTMLInputElement => {
      const step = name.endsWith('Reward') ? 'any' : 1;
      const input = h('input', {
        type: 'number',
        step,
        class: 'small',
        oninput: () => change({ [name]: input.value === '' ? null : Number(input.value) }),
      });
      return input;
    };
    const text = h('input', { type: 'search', oninput: () => change({ text: text.value }) });
    const runs = this.runs.map(({ name }, i) => [String(i), name] as const);
    const splits = [
      ['train', 'training'],
      ['test', 'evaluation'],
    ] as const;
    const grades = [
      ['any', 'right and wrong'],
      ['correct', 'right'],
      ['wrong', 'wrong'],
    ] as const;
    const colours = [
      ['none', 'nothing'],
      ['logprob', 'log-prob'],
      ['advantage', 'advantage'],
    ] as const;
    const hasTokens = this.isLive || this.runs.some(({ samples }) => samples.embedded.some((sample) => sample.tokens));
    return h(
      'div',
      { class: 'controls no-print' },
      runs.length > 1
        ? field(
            'Run',
            select(runs, '0', (run) => change({ run: Number(run) })),
          )
        : null,
      field(
        'Of',
        select(splits, this.query.split, (split) => change({ split: split as SampleQuery['split'] })),
      ),
      field(
        'Answers',
        select(grades, 'any', (graded) => change({ graded: graded as SampleQuery['graded'] })),
      ),
      field('Reward from', number('minReward')),
      field('to', number('maxReward')),
      field('Rollout from', number('fromRollout')),
      field('to', number('toRollout')),
      field('Search', text),
      hasTokens
        ? field(
            'Colour tokens by',
            select(colours, this.colour, (colour) => {
              this.colour = colour as TokenColour;
              this.show(this.found, true);
            }),
          )
        : null,
    );
  }

  private async search(): Promise<void> {
    this.found = [];
    this.cursor = null;
    this.searched = 0;
    await this.ask(null);
  }

  private async next(): Promise<void> {
    if (this.cursor !== null) await this.ask(this.cursor);
  }

  private async ask(after: SampleCursor | null): Promise<void> {
    const turn = ++this.turn;
    this.more.disabled = true;
    try {
      this.cursor = after;
      let isFirst = after === null;
      const wanted = this.found.length + pageSamples;
      do {
        const { samples, next, searched } = await this.source.search(this.query, this.cursor);
        if (turn !== this.turn) return;
        this.found.push(...samples);
        this.cursor = next;
        this.searched += searched;
        this.show(samples, isFirst);
        isFirst = false;
        this.tell();
      } while (this.cursor !== null && this.found.length < wanted);
    } catch (error) {
      if (turn !== this.turn) return;
      replace(this.status, `The search failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.more.disabled = false;
    }
  }

  private tell(): void {
    const { embedded, totals } = this.runs[this.query.run]!.samples;
    const total = totals[this.query.split];
    const inPage = embedded.filter(({ split }) => split === this.query.split).length;
    const isPart = !this.isLive && inPage < total;
    const sentences = [
      isPart
        ? `This file holds ${count(inPage)} of ${count(total)} samples, drawn evenly over rollouts and rewards, so their shares are not the run's; limr-engine report --watch reads them all.`
        : `${count(total)} samples.`,
      this.cursor === null
        ? `${count(this.found.length)} match.`
        : this.isLive
          ? `${count(this.found.length)} match among the ${count(this.searched)} newest ones.`
          : `${count(this.found.length)} of those that match are shown.`,
    ];
    this.status.textContent = sentences.join(' ');
    this.more.hidden = this.cursor === null;
  }

  private show(samples: readonly SampleView[], isAnew: boolean): void {
    const cards = samples.map((sample) => this.card(sample));
    if (isAnew) this.list.replaceChildren(...cards);
    else this.list.append(...cards);
  }

  private card(sample: SampleView): HTMLElement {
    const { prompt, response, cut } = sample;
    const body = h('div', {}, h('pre', { class: 'response', dir: 'auto' }, ...untrusted(response)));
    if (this.colour !== 'none' && sample.hasTokens) void this.colourTokens(sample, body, this.colour);
    const isLong = prompt.length > shortPrompt;
    return h(
      'article',
      { class: 'card sample' },
      h('div', { class: 'chips' }, ...this.chips(sample)),
      isLong
        ? h(
            'details',
            {},
            h('summary', {}, h('bdi', {}, ...untrusted(`${prompt.slice(0, shortPrompt)} …`))),
            h('pre', { class: 'prompt', dir: 'auto' }, ...untrusted(prompt)),
          )
        : h('pre', { class: 'prompt', dir: 'auto' }, ...untrusted(prompt)),
      body,
      cut === undefined ? null : h('p', { class: 'note' }, `${count(cut)} more characters are in the run's folder.`),
      h('details', {}, h('summary', {}, 'Details'), facts(sample)),
    );
  }

  private chips({ rollout, id, reward, correct, length, facts, split }: SampleView): HTMLElement[] {
    const chip = (text: string, kind = '') => h('span', { class: `chip ${kind}` }, ...untrusted(text));
    const set = typeof facts.set === 'string' ? `, ${facts.set}` : '';
    return [
      chip(`reward ${short(reward)}`, reward > 0 ? 'good' : reward < 0 ? 'bad' : ''),
      chip(correct ? 'right' : 'wrong'),
      chip(`rollout ${count(rollout)}${split === 'test' ? set : ''}`),
      chip(id === '' ? 'no id' : id),
      ...(length === null ? [] : [chip(`${count(length)} tokens`)]),
      ...(facts.stop_reason === 'length' ? [chip('truncated', 'bad')] : []),
    ];
  }

  private async colourTokens(sample: SampleView, body: HTMLElement, by: Exclude<TokenColour, 'none'>): Promise<void> {
    try {
      const tokens = await this.source.tokens(this.query.run, sample);
      if (tokens !== undefined) replace(body, colouredTokens(tokens, by));
    } catch (error) {
      body.append(h('p', { class: 'note' }, `No colours: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
}

function facts({ facts }: SampleView): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    Object.entries(facts).flatMap(([name, value]) => [
      h('dt', {}, ...untrusted(name)),
      h('dd', {}, ...untrusted(setting(value))),
    ]),
  );
}

/** A value of JSON in a line. */
export const setting = (value: Setting | undefined): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
