import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { TerminalStream } from '../../src/cli/bar.js';
import { Terminal } from '../../src/cli/terminal.js';
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
      const bar = await terminal.progress('sampling', 10);
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

  it('lines stand above the bar, and none is written over', async () => {
    const { screen, terminal } = opened(72, 5);
    terminal.say('model -> run');
    const bar = await terminal.progress('sampling', 4);
    bar.update(2, '9 tokens/s');
    terminal.say('one');
    expect(screen.lines).toEqual(['model -> run', 'one', `sampling ${'█'.repeat(12)}${'░'.repeat(12)} 2/4 9 tokens/s`]);
    expect([screen.isCursorShown, screen.wraps]).toEqual([false, false]);
    for (const text of ['two', 'three', 'four', 'five']) terminal.say(text); // the screen scrolls
    expect(screen.lines.slice(0, 4)).toEqual(['two', 'three', 'four', 'five']);
    expect(screen.lines[4]).toContain('2/4');
    const next = await terminal.progress('training', 1);
    bar.update(3); // of a bar that is gone
    expect(screen.lines[4]).toMatch(/^training ░+ 0\/1$/);
    next.end();
    terminal.say('done');
    expect(screen.lines).toEqual(['three', 'four', 'five', 'done']);
    expect([screen.isCursorShown, screen.wraps]).toEqual([true, true]);
  });

  it('a bar gives way to its numbers where the line is short', async () => {
    const { screen, terminal } = opened(40, 6);
    terminal.say('a line that is longer than the terminal is wide');
    const bar = await terminal.progress('rollout 0 evaluating', 600);
    bar.update(600, '', 600);
    terminal.say('another line that is longer than the terminal');
    expect(screen.lines).toEqual([
      'a line that is longer than the terminal',
      'is wide',
      'another line that is longer than the ter',
      'minal',
      'rollout 0 evaluating 600/600',
    ]);
    terminal.close();
  });

  it('of two bars that begin at once the last is drawn, and after the end none', async () => {
    const { screen, terminal } = opened(72, 4);
    await Promise.all([terminal.progress('first', 1), terminal.progress('second', 0)]);
    expect(screen.lines).toEqual([expect.stringMatching(/^second ░+$/)]);
    const late = terminal.progress('third', 1);
    terminal.close();
    (await late).update(1);
    expect(screen.lines).toEqual([]);
    expect([screen.isCursorShown, screen.wraps]).toEqual([true, true]);
  });
});

it('spells out control characters of other people', () => {
  expect(escapeControls('a\u001b[31mred\u0007\u009b\r\n\tok é 数 \u202eevil\u2028')).toBe(
    'a\\x1b[31mred\\x07\\x9b\\x0d\n\tok é 数 \\u202eevil\\u2028',
  );
});
