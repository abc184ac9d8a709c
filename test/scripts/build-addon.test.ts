import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../scripts/project.js';

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(path.join(tmpdir(), 'limr-bin-'));
});
afterEach(() => rmSync(bin, { recursive: true }));

const build = () =>
  spawnSync(process.execPath, [path.join(root, 'scripts/build-addon.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, PATH: bin, CXX: '' },
  });

describe('building the addon', () => {
  it('says what to install when cmake is missing', () => {
    const { status, stderr } = build();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^limr-engine: cmake was not found.*\[LIMR_PLATFORM\]\nfix: .*install.*cmake/);
  });

  it('says what to install when no compiler is there', () => {
    writeFileSync(path.join(bin, 'cmake'), '#!/bin/sh\n');
    chmodSync(path.join(bin, 'cmake'), 0o755);
    const { status, stderr } = build();
    expect(status).toBe(1);
    expect(stderr).toMatch(/no C\+\+ compiler was found \(tried c\+\+, g\+\+, clang\+\+\).*\[LIMR_PLATFORM\]\nfix: /);
  });
});
