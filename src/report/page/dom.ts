/** Making elements. Texts go in as text nodes alone: nothing that a model wrote is ever markup. */
import { visibleRuns } from '../visible-text.js';

type Child = Node | string | null | undefined | readonly Child[];
type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void) | undefined>>;

/** An element; `on...` attributes are listeners, false and undefined ones are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(to: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined) continue;
    if (typeof child === 'string') to.appendChild(document.createTextNode(child));
    else if (child instanceof Node) to.appendChild(child);
    else append(to, child as readonly Child[]);
  }
}

/** Text of a model or a file, with what is not to be seen spelt out and marked. */
export function untrusted(text: string): Node[] {
  return visibleRuns(text).map((run) =>
    run.isSpelt ? h('span', { class: 'spelt' }, run.text) : document.createTextNode(run.text),
  );
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

let labels = 0;

/** A control with its name. */
export function field(name: string, control: HTMLElement): HTMLElement {
  control.id = `field-${++labels}`;
  return h('div', { class: 'field' }, h('label', { for: control.id }, name), control);
}

export function select(
  options: readonly (readonly [value: string, text: string])[],
  chosen: string,
  onChange: (value: string) => void,
): HTMLSelectElement {
  const control = h(
    'select',
    { onchange: () => onChange(control.value) },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, ...untrusted(text))),
  );
  return control;
}
