/**
 * The page as one file: markup, style, script and data, and nothing that it would have to load. A content security policy lets
 * run only the script that is in it, by its hash, so that no text of a model could become one.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LimrError } from '../errors.js';
import { hasCode, ioError } from '../files.js';
import type { ReportData } from './data.js';

/** By which a report is told from other files: it may be replaced by a newer one. */
export const reportMarker = '<!doctype html><!-- limr-engine report -->';

/** Charts are drawn by uPlot, whose licence wants to be told. */
const licence = 'Charts: uPlot 1.6, Copyright (c) 2025, Leon Sorokin, MIT licence, https://github.com/leeoniya/uPlot';

export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** What scripts/build-page.mjs has made. @throws {LimrError} LIMR_PLATFORM when it is not there */
export async function readPageParts(): Promise<PageParts> {
  const [script, style] = await Promise.all(['page.js', 'style.css'].map(readPart));
  return { script: script!, style: style! };
}

/** From src/report and from dist/report alike, it is dist/report/page. */
async function readPart(name: string): Promise<string> {
  const file = fileURLToPath(new URL(`../../dist/report/page/${name}`, import.meta.url));
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw ioError(`cannot read ${file}`, error);
    throw new LimrError('LIMR_PLATFORM', `${file} is missing: the page is not built`, '`npm run prepare` builds it.');
  }
}

/** The HTML document. */
export function reportHtml(data: ReportData, { script, style }: PageParts): string {
  const connect = data.live === null ? "'none'" : "'self'";
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    `connect-src ${connect}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `${reportMarker}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="limr-engine ${escapeHtml(data.version)}">
<link rel="icon" href="data:,">
<title>${escapeHtml(data.title)}</title>
<!-- ${licence} -->
<style>${style}</style>
</head>
<body>
<noscript>This report draws its charts by a script of its own, and loads nothing: allow scripts to see it.</noscript>
<div id="report"></div>
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON that cannot end the element it stands in: "<" is written as an escape, which JSON reads as "<". */
export const embeddedJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const digest = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
