import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Terminal, type TerminalStream } from '../../src/cli/terminal.js';
import { escapeControls } from '../../src/escape-controls.js';
import { Screen } from './screen.js';

describe('where there is no terminal', () => {
  const written = (level: 'info' | 'warn' | 'silent') => {
    const texts: string[] = [];
    const stream: TerminalStream = new Writable({
      write(chunk, _encoding, done) {
        texts.push(String(chunk));
        done();
      },
    });
    return { texts, terminal: new Terminal(level, stream) };
  };

  it('writes plain lines, as LIMR_LOG says', () => {
    const { texts, terminal } = written('warn');
    terminal.say('small talk');
    terminal.say('watch out', 'warn');
    expect(texts).toEqual(['watch out\n']);
    const silent = written('silent');
    silent.terminal.say('help', 'error');
    expect(silent.texts).toEqual([]);
  });

  it('reports progress in lines at most every 15 seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { texts, terminal } = written('info');
      const bar = terminal.progress('sampling', 10);
      bar.update(1, 'fast');
      vi.advanceTimersByTime(15_000);
      bar.update(5, 'fast');
      bar.update(6);
      bar.end();
      expect(texts).toEqual(['sampling 5/10 fast\n']);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('in a terminal', () => {
  const opened = (columns: number, rows: number) => {
    const screen = new Screen(columns, rows);
    return { screen, terminal: new Terminal('info', screen) };
  };
  /** The modules that draw are loaded when they are needed. */
  const isDrawn = (screen: Screen, text: string | RegExp) =>
    vi.waitFor(() => expect(screen.lines.at(-1)).toMatch(text), { interval: 5, timeout: 10_000 });

  it('lines stand above the rows, and none is written over', async () => {
    const { screen, terminal } = opened(72, 5);
    terminal.say('model -> run');
    const bar = terminal.progress('sampling', 4);
    bar.update(2, '9 tokens/s');
    await isDrawn(screen, '9 tokens/s');
    terminal.say('one');
    expect(screen.lines).toEqual([
      'model -> run',
      'one',
      `sampling  ${'█'.repeat(12)}${'░'.repeat(12)}  2/4  9 tokens/s`,
    ]);
    expect(screen.isCursorShown).toBe(false);
    for (const text of ['two', 'three', 'four', 'five']) terminal.say(text); // the screen scrolls
    expect(screen.lines.slice(0, 3)).toEqual(['three', 'four', 'five']);
    expect(screen.lines[3]).toContain('2/4');
    const next = terminal.progress('training', 1);
    await isDrawn(screen, /^training {2}░+ {2}0\/1$/);
    expect(screen.lines.at(-2)).toContain('2/4');
    bar.end();
    next.end();
    terminal.say('done');
    expect(screen.lines).toEqual(['three', 'four', 'five', 'done'].slice(-screen.lines.length));
    expect(screen.isCursorShown).toBe(true);
  });

  it('a bar gives way to its numbers where the line is short', async () => {
    const { screen, terminal } = opened(40, 8);
    terminal.say('a line that is longer than the terminal is wide');
    const bar = terminal.progress('rollout 0 evaluating', 600);
    bar.update(600, 'a note', 600);
    await isDrawn(screen, 'rollout 0 evaluating  600/600  a note');
    terminal.say('another line that is longer than the terminal');
    expect(screen.lines).toEqual([
      'a line that is longer than the terminal',
      'is wide',
      'another line that is longer than the ter',
      'minal',
      'rollout 0 evaluating  600/600  a note',
    ]);
    terminal.close();
  });

  it('rows that a narrower terminal has broken are drawn anew, and nothing of them is left', async () => {
    const { screen, terminal } = opened(90, 9);
    terminal.say('before');
    const bar = terminal.progress('sampling', 4);
    bar.update(3, 'a note of some thirty characters');
    await isDrawn(screen, /3\/4 {2}a note/);
    for (const [columns, shown] of [
      [40, 'sampling  3/4'],
      [12, 'sampling  3'],
      [100, `sampling  ${'█'.repeat(18)}${'░'.repeat(6)}  3/4  a note of some thirty characters`],
    ] as const) {
      screen.resize(columns);
      expect(screen.lines).toEqual(['before', shown]);
    }
    terminal.close();
    expect(screen.lines).toEqual(['before']);
    expect(screen.listenerCount('resize')).toBe(0);
  });

  it('what was closed is not drawn any more', async () => {
    const { screen, terminal } = opened(72, 4);
    const bar = terminal.progress('first', 1);
    terminal.close();
    bar.update(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([screen.lines, screen.isCursorShown]).toEqual([[], true]);
  });

  it('names and notes reach it without their control characters', async () => {
    const { screen, terminal } = opened(72, 4);
    terminal.progress('mo\u001b[31mdel\u0007', 0).update(0, '\u202eevil\nplan', 0);
    await isDrawn(screen, 'mo\\x1b[31mdel\\x07  \\u202eevil plan');
    for (const raw of ['\u0007', '\u202e', '\u001b[31m']) expect(screen.written).not.toContain(raw);
    terminal.close();
  });
});

describe('colours', () => {
  afterEach(() => vi.unstubAllEnvs());
  const written = (variables: Readonly<Record<string, string>>) => {
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'CI']) vi.stubEnv(name, variables[name]);
    vi.stubEnv('TERM', 'xterm-256color');
    const screen = new Screen(40, 4);
    new Terminal('info', screen).say('careful', 'warn');
    return screen.written;
  };

  it('are for terminals, and follow NO_COLOR and FORCE_COLOR', () => {
    expect(written({})).toBe('\u001b[33mcareful\u001b[39m\n');
    expect(written({ NO_COLOR: '1' })).toBe('careful\n');
    expect(written({ FORCE_COLOR: '0' })).toBe('careful\n');
    expect(written({ FORCE_COLOR: '1' })).toBe('\u001b[33mcareful\u001b[39m\n');
  });
});

it('spells out control characters of other people', () => {
  expect(escapeControls('a\u001b[31mred\u0007\u009b\r\n\tok é 数 \u202eevil\u2028')).toBe(
    'a\\x1b[31mred\\x07\\x9b\\x0d\n\tok é 数 \\u202eevil\\u2028',
  );
});
