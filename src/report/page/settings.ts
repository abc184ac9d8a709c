/** The section of settings: what the runs were told, and where they ran. */
import type { RunData, Setting, Settings } from '../data.js';
import { h, replace, untrusted } from './dom.js';
import { setting } from './samples.js';

export class SettingsSection {
  readonly element: HTMLElement;
  private readonly body = h('div');

  constructor(runs: readonly RunData[]) {
    this.element = h(
      'section',
      { id: 'settings', 'aria-labelledby': 'settings-title' },
      h('h2', { id: 'settings-title' }, 'Configuration and machine'),
      this.body,
    );
    this.set(runs);
  }

  set(runs: readonly RunData[]): void {
    const known = runs.filter(({ record }) => record !== null);
    if (known.length === 0) {
      replace(this.body, h('p', {}, 'There is no run.json.'));
      return;
    }
    const names = known.map(({ name }) => name);
    const of = (part: 'config' | 'identity' | 'about') => known.map(({ record }) => record![part]);
    const chosen = new Set(known.flatMap(({ record }) => record!.chosen));
    const config = of('config');
    const all = namesOf(config);
    const different = all.filter((name) => !isSame(config, name));
    const changes = known.flatMap(({ name, record }) => record!.changes.map((change) => ({ run: name, ...change })));
    replace(
      this.body,
      known.length > 1
        ? different.length === 0
          ? h('p', {}, 'The runs have the same configuration.')
          : this.table('What differs between the runs', names, config, different)
        : null,
      this.table(
        'Not the default',
        names,
        config,
        all.filter((name) => chosen.has(name)),
      ),
      h('details', {}, h('summary', {}, 'Whole configuration'), this.table('Configuration', names, config, all)),
      this.table('What else decides the result', names, of('identity'), namesOf(of('identity'))),
      this.table('Machine and versions', names, of('about'), namesOf(of('about'))),
      changes.length === 0
        ? null
        : this.table(
            'Accepted when it was resumed',
            changes.map((_, i) => String(i + 1)),
            changes,
            namesOf(changes),
          ),
    );
  }

  private table(
    title: string,
    columns: readonly string[],
    values: readonly Settings[],
    names: readonly string[],
  ): HTMLElement | null {
    if (names.length === 0) return null;
    const cell = (value: Setting | undefined) => h('td', {}, ...untrusted(setting(value)));
    return h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title },
      h(
        'table',
        { class: 'settings' },
        h('caption', {}, title),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Name'),
            columns.map((name) => h('th', { scope: 'col' }, ...untrusted(name))),
          ),
        ),
        h(
          'tbody',
          {},
          names.map((name) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, ...untrusted(name)),
              values.map((own) => cell(own[name])),
            ),
          ),
        ),
      ),
    );
  }
}

const namesOf = (values: readonly Settings[]): string[] => [...new Set(values.flatMap((own) => Object.keys(own)))];

const isSame = (values: readonly Settings[], name: string): boolean =>
  new Set(values.map((own) => setting(own[name]))).size === 1;
