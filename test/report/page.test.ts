/** The page in a real Chromium. `LIMR_TEST_SCREENSHOTS=dir` keeps pictures of it to look at. */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import { launchReport } from '../../src/launch/report.js';
import { type ReportOptions, reportOptions } from '../../src/launch/report-options.js';
import { chromiumPath } from './browser.js';
import { metricsFile, type SyntheticRun, writeSyntheticRun } from './synthetic-run.js';

const program = chromiumPath();
if (program === undefined)
  console.log('test/report/page.test.ts: skipped, there is no Chromium (apt-get install chromium)');
/** Of `npm run ci:full`: every width and colour, every control, and a run as large as a page must bear. */
const isFull = process.env.LIMR_TEST_FULL === '1';

const hostile =
  '</pre><img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>\x1b[31m\u202etxt.exe\u0007 &amp; 日本語';
const small: SyntheticRun = {
  rollouts: 12,
  prompts: 16,
  promptsPerRollout: 8,
  samplesPerPrompt: 4,
  evalEvery: 3,
  tokens: true,
  response: (rollout, row, sample) => (sample === 0 ? hostile : `${rollout} + ${row} = ${rollout + row}`),
};

let root: string;
let browser: Browser;

describe.skipIf(program === undefined)('the page', () => {
  beforeAll(async () => {
    execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build-page.mjs', import.meta.url))]);
    root = await mkdtemp(join(tmpdir(), 'limr-page-'));
    await writeSyntheticRun(join(root, 'one'), small);
    await writeSyntheticRun(join(root, 'two'), { ...small, rollouts: 9, response: () => 'the second run' });
    browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(root, { recursive: true });
  });

  async function write(names: readonly string[], given: Partial<ReportOptions> = {}): Promise<string> {
    const output = join(root, `${names.join('-')}.html`);
    const runs = names.map((name) => join(root, name));
    await launchReport({ ...completeOptions(reportOptions, new Map()), runs, output, ...given });
    return pathToFileURL(output).href;
  }

  /** Opens a page; whatever it says on its console, or asks of a network, is an error. */
  async function open(
    url: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ readonly page: Page; readonly errors: string[]; readonly context: BrowserContext }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('console', (message) => errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('request', (request) => {
      if (
        !request.url().startsWith(new URL(url).origin === 'null' ? url : new URL(url).origin) &&
        !request.url().startsWith('data:')
      )
        errors.push(request.url());
    });
    await page.goto(url);
    await page.locator('#samples .sample').first().waitFor();
    return { page, errors, context };
  }

  /** Brings every chart into view, so that it is drawn. */
  async function scrollThrough(page: Page): Promise<void> {
    const height = await page.evaluate<number>('document.documentElement.scrollHeight');
    for (let y = 0; y < height; y += 700) {
      await page.evaluate(`scrollTo(0, ${y})`);
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    }
    await page.evaluate('scrollTo(0, 0)');
  }

  const views = [
    [400, 'dark'],
    [400, 'light'],
    [1600, 'light'],
    [1600, 'dark'],
  ] as const;
  it.each(isFull ? views : views.slice(0, 1))(
    'at %i px, %s: draws every chart, fits, and axe finds nothing',
    async (width, colorScheme) => {
      const { page, errors, context } = await open(await write(['one']), {
        viewport: { width, height: 900 },
        colorScheme,
      });
      await scrollThrough(page);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
      const charts = await page.locator('figure.chart').count();
      expect(charts).toBeGreaterThan(20);
      expect(await page.locator('figure.chart canvas[role=img]').count()).toBe(charts);
      for (const label of await page
        .locator('canvas')
        .evaluateAll((all) => all.map((canvas) => canvas.getAttribute('aria-label') ?? '')))
        expect(label.length).toBeGreaterThan(20);
      const dark = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(dark).toBe(colorScheme === 'dark' ? 'rgb(18, 22, 28)' : 'rgb(246, 247, 249)');
      const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      await page.evaluate(axe);
      const result = await page.evaluate(() =>
        (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
      );
      expect(result.passes.length).toBeGreaterThan(20);
      expect(result.violations.map(({ id, impact, nodes }) => [id, impact, nodes[0]?.html])).toEqual([]);
      expect(errors).toEqual([]);
      const pictures = process.env.LIMR_TEST_SCREENSHOTS;
      if (pictures !== undefined)
        await page.screenshot({ path: join(pictures, `report-${width}-${colorScheme}.png`), fullPage: true });
      await context.close();
    },
  );

  it('shows what a model wrote as text', async () => {
    const { page, errors, context } = await open(await write(['one']));
    const response = page.locator('.sample pre.response', { hasText: 'onerror' }).first();
    expect(await response.textContent()).toBe(
      '</pre><img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>\\x1b[31m\\u202etxt.exe\\x07 &amp; 日本語',
    );
    expect(await response.locator('.spelt').allTextContents()).toEqual(['\\x1b', '\\u202e', '\\x07']);
    expect(await page.evaluate("['hacked' in globalThis, document.images.length, document.scripts.length]")).toEqual([
      false,
      0,
      2,
    ]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it.skipIf(!isFull)('lets its policy run nothing else, even where it were put in', async () => {
    const { page, context } = await open(await write(['one']));
    await page.evaluate(
      "const script = document.createElement('script'); script.textContent = 'globalThis.hacked = 1'; document.body.append(script)",
    );
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    await context.close();
  });

  it.skipIf(!isFull)('finds samples by text and reward, and colours tokens', async () => {
    const { page, context } = await open(await write(['one']));
    const samples = page.locator('#samples');
    await samples.getByLabel('Search').fill('NO SUCH TEXT');
    await samples.getByRole('status').getByText('0 match').waitFor();
    await samples.getByLabel('Search').fill('11 + 3 =');
    await samples.getByText('3 match').waitFor();
    await samples.getByLabel('Search').fill('');
    await samples.getByLabel('Reward from').fill('1');
    await expect
      .poll(async () => new Set(await samples.locator('.chip').filter({ hasText: 'reward' }).allTextContents()))
      .toEqual(new Set(['reward 1']));
    await samples.getByLabel('Colour tokens by').selectOption('advantage');
    await samples.locator('.token').first().click();
    expect(await samples.locator('.sample').first().getByRole('status').textContent()).toMatch(
      /^Token 1 of 12, .*log-prob -?[\d.]+ \(probability [\d.]+\), advantage/,
    );
    await context.close();
  });

  it.skipIf(!isFull)('marks the trajectory of a prompt, and filters by what was kept', async () => {
    const { page, context } = await open(await write(['one']));
    const section = page.locator('#learning');
    await section.getByLabel('Prompts', { exact: true }).selectOption('dropped');
    expect(new Set(await section.locator('.chip').allTextContents())).toEqual(new Set(['dropped']));
    const prompt = section.locator('button.link').first();
    await prompt.click();
    await section.getByText('the prompt chosen below').waitFor();
    await context.close();
  });

  it.skipIf(!isFull)('compares runs, and leaves one out when asked', async () => {
    const { page, errors, context } = await open(await write(['one', 'two']));
    const reward = page.locator('figure.chart', { hasText: "Mean of the rollout's samples" });
    await reward.scrollIntoViewIfNeeded();
    await expect.poll(() => reward.locator('canvas').getAttribute('aria-label')).toMatch(/one: from .* two: from/);
    await page.getByLabel('in the curves').nth(1).uncheck();
    await expect.poll(() => reward.locator('canvas').getAttribute('aria-label')).not.toContain('two:');
    await page.locator('#settings').getByText('What differs between the runs').waitFor();
    await page.locator('#curves').getByLabel('Over', { exact: true }).selectOption('hours');
    await expect.poll(() => reward.locator('.u-legend').textContent()).toContain('hours');
    expect(errors).toEqual([]);
    await context.close();
  });

  it.skipIf(!isFull)('prints light, on pages that hold its width', async () => {
    const { page, context } = await open(await write(['one']), { colorScheme: 'dark' });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    const pictures = process.env.LIMR_TEST_SCREENSHOTS;
    if (pictures !== undefined) await writeFile(join(pictures, 'report.pdf'), pdf);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('light');
    expect(await page.locator('figure.chart canvas').count()).toBe(await page.locator('figure.chart').count());
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('dark');
    await context.close();
  });

  it('is served, grows with its run, and comes back after the server', async () => {
    const dir = join(root, 'live');
    await writeSyntheticRun(dir, { ...small, planned: 20 });
    const controller = new AbortController();
    let ended: Promise<unknown> | undefined;
    const address = await new Promise<string>((onListening, reject) => {
      const options = { ...completeOptions(reportOptions, new Map()), runs: [dir], watch: true, port: 0 };
      ended = launchReport(options, { signal: controller.signal, onListening });
      ended.catch(reject);
    });
    const { page, errors, context } = await open(address);
    await page.getByText('12 of 20 rollouts').waitFor();
    await appendFile(metricsFile(dir), '{"rollout":13,"reward/mean":0.875,"reward/brand_new":1}\n');
    await page.getByText('13 of 20 rollouts').waitFor();
    await page.locator('#summary').getByText('→ 0.875').waitFor();
    await page.getByRole('heading', { name: 'reward/brand_new' }).waitFor();
    await page.locator('#samples').getByLabel('Search').fill('11 + 3 =');
    await page
      .locator('#samples')
      .getByText('3 match among')
      .or(page.locator('#samples').getByText('3 match.'))
      .waitFor();
    expect(errors).toEqual([]);
    controller.abort();
    await ended;
    await page.getByText('the server does not answer').waitFor();
    await context.close();
  });

  it.skipIf(!isFull)(
    'of 2,000 rollouts and 100,000 samples opens in 3 s, in less than 20 MB',
    async () => {
      const sentence =
        'We look at the equation, move the terms, and simplify step by step until the answer stands alone. ';
      const run = { rollouts: 2000, prompts: 1000, promptsPerRollout: 10, samplesPerPrompt: 5, tokens: true };
      await writeSyntheticRun(join(root, 'large'), {
        ...run,
        response: (rollout, row) => sentence.repeat(5 + ((rollout + row) % 25)),
      });
      const url = await write(['large']);
      const { size } = await stat(fileURLToPath(url));
      expect(size).toBeLessThan(20e6);
      const started = performance.now();
      const { page, errors, context } = await open(url, { viewport: { width: 1600, height: 900 } });
      const seconds = (performance.now() - started) / 1000;
      console.log(`large report: ${(size / 1e6).toFixed(1)} MB, opened in ${seconds.toFixed(2)} s`);
      await scrollThrough(page);
      expect(await page.getByText('of 100,000 samples, drawn evenly').count()).toBe(1);
      expect(errors).toEqual([]);
      await context.close();
    },
    600_000,
  );
});
