import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    passWithNoTests: false,
    // A process per file: the addon's threads and a crash of one file stay away from the others.
    pool: 'forks',
    // Compute threads come from the tests; more files at once than this would only fight for the cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
