// Bundles the page of `limr-engine report` into dist/report/page/: one script, one style sheet, which every report carries within it.
// Plain JavaScript: it runs when npm prepares the package.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: { page: at('../src/report/page/main.ts'), style: at('../src/report/page/style.css') },
  outdir: at('../dist/report/page'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2022', 'chrome110', 'firefox110', 'safari16'],
  charset: 'utf8',
  legalComments: 'none', // the one of uPlot is no legal comment to esbuild; its words stand in src/report/html.ts
  logLevel: 'warning',
});
