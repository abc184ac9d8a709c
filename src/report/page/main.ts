/** The page of a report, out of the data that it carries. */
import type { ReportData, RunData } from '../data.js';
import { printCharts } from './chart.js';
import { Curves } from './curves.js';
import { field, h, replace, select, untrusted } from './dom.js';
import { LearningSection, printDrawings } from './learning.js';
import { follow } from './live.js';
import { EmbeddedSamples, ServedSamples } from './sample-source.js';
import { SamplesSection } from './samples.js';
import { SettingsSection } from './settings.js';
import { Summary } from './summary.js';
import { chooseTheme, printTheme, startTheme, type Theme } from './theme.js';

/** Pixels of a chart on paper: two in a row of A4 or Letter. */
const paperWidth = 330;

const data = JSON.parse(document.getElementById('data')!.textContent ?? '') as ReportData;
let runs: readonly RunData[] = data.runs;

startTheme();
const curves = new Curves(runs);
const summary = new Summary(runs, (shown) => curves.choose(shown));
const learning = new LearningSection(runs);
const source = data.live === null ? new EmbeddedSamples(() => runs) : new ServedSamples();
const samples = new SamplesSection(runs, source, data.live !== null);
const settings = new SettingsSection(runs);
const state = h('p', { class: 'note', id: 'state', role: 'status' });

const sections: readonly (readonly [id: string, title: string])[] = [
  ['curves', 'Curves'],
  ['learning', 'Learning impact'],
  ['samples', 'Samples'],
  ['settings', 'Configuration'],
];
const themes: readonly (readonly [Theme, string])[] = [
  ['auto', "the system's"],
  ['light', 'light'],
  ['dark', 'dark'],
];

replace(
  document.getElementById('report')!,
  h(
    'header',
    {},
    h('h1', {}, ...untrusted(data.title)),
    data.live === null
      ? h(
          'p',
          { class: 'note' },
          `Made ${data.made.slice(0, 16).replace('T', ' ')} UTC by limr-engine ${data.version}. It loads nothing: all of it is in this file.`,
        )
      : state,
    h(
      'nav',
      { class: 'no-print', 'aria-label': 'Sections' },
      sections.map(([id, title]) => h('a', { href: `#${id}` }, title)),
      field(
        'Colours',
        select(themes, 'auto', (theme) => chooseTheme(theme as Theme)),
      ),
    ),
  ),
  h('main', {}, summary.element, curves.element, learning.element, samples.element, settings.element),
);

if (data.live !== null) {
  follow(data.live.stamp, {
    runs: () => runs,
    onRuns: (changed) => {
      runs = changed;
      for (const section of [summary, curves, learning, samples, settings]) section.set(runs);
    },
    onState: (words) => {
      state.textContent = words;
    },
  });
}

addEventListener('beforeprint', () => {
  printTheme(true);
  printCharts(paperWidth);
  printDrawings(paperWidth);
});
addEventListener('afterprint', () => {
  printTheme(false);
  printCharts(null);
  printDrawings(null);
});
