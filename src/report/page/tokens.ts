/** A response with its tokens in the colours of what they were trained on. */
import type { TokenView } from '../data.js';
import { h, replace, untrusted } from './dom.js';
import { short } from './numbers.js';

export type TokenColour = 'none' | 'logprob' | 'advantage';

/** A log-prob at or below this one has the full colour. */
const leastLogprob = -4;
/** Share of the colour in the background, at most: text stays readable on it. */
const deepest = 55;

export function colouredTokens(tokens: TokenView, by: Exclude<TokenColour, 'none'>): HTMLElement {
  const chosen = h('p', { class: 'note', role: 'status' }, 'Choose a token to see its numbers.');
  const largest = tokens.advantages.reduce((most, advantage) => Math.max(most, Math.abs(advantage)), 1e-9);
  const spans = tokens.text.map((text, i) => {
    const [logprob, advantage] = [tokens.logprobs[i]!, tokens.advantages[i]!];
    const words = `log-prob ${short(logprob)} (probability ${short(Math.exp(logprob))}), advantage ${short(advantage)}`;
    const span = h('span', { class: 'token', title: words, 'data-i': i }, ...untrusted(text));
    const share = by === 'logprob' ? logprob / leastLogprob : Math.abs(advantage) / largest;
    const name = by === 'logprob' ? '--unlikely' : advantage < 0 ? '--worse' : '--better';
    const percent = Math.round(deepest * Math.min(1, Math.max(0, share)));
    span.style.backgroundColor = `color-mix(in srgb, var(${name}) ${percent}%, transparent)`;
    return span;
  });
  const tell = (target: EventTarget | null): void => {
    const i = target instanceof Element ? target.closest<HTMLElement>('.token')?.dataset.i : undefined;
    if (i === undefined) return;
    replace(
      chosen,
      `Token ${Number(i) + 1} of ${spans.length}, `,
      h('code', {}, ...untrusted(tokens.text[Number(i)]!)),
      `: ${spans[Number(i)]!.title}`,
    );
  };
  const box = h('pre', { class: 'response', dir: 'auto', onclick: (event) => tell(event.target) }, spans);
  return h('div', {}, legend(by, largest), box, chosen);
}

function legend(by: Exclude<TokenColour, 'none'>, largest: number): HTMLElement {
  const square = (name: string, words: string) => {
    const sample = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    sample.style.backgroundColor = `color-mix(in srgb, var(${name}) ${deepest}%, transparent)`;
    return h('span', {}, sample, ` ${words} `);
  };
  return by === 'logprob'
    ? h(
        'p',
        { class: 'note' },
        square('--unlikely', `log-prob ${leastLogprob} or less: the model was surprised`),
        'no colour: it was sure',
      )
    : h(
        'p',
        { class: 'note' },
        square('--better', `advantage ${short(largest)}: made likelier`),
        square('--worse', `${short(-largest)}: made less likely`),
      );
}
