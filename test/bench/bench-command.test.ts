import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type BrowserChoice, openBrowser } from '../../bench/browser-under-test.ts';
import type { BenchReport } from '../../bench/report/report.ts';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { MAIN, runCommandLine } from '../cli/command-line.ts';
import { InstalledCopy } from '../cli/installed-copy.ts';
import { launchChromium } from '../support/chromium.ts';
import { descendantsOf, endsWithTest } from '../support/processes.ts';
import { sized } from '../support/sized.ts';

/** Nobody listens there: a port that the system gives to nobody by itself, and that is nothing's by custom. */
const NOBODY = '127.0.0.1:2';

/** The shortest measurement that needs a browser. */
const SHORT = 'bulk/release-object-group';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const readReport = async (file: string): Promise<BenchReport> => JSON.parse(await readFile(file, 'utf8'));

/** A process that has ended and waits to be asked for its code runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the bench', { timeout: 240_000 }, () => {
  it('measures on a browser that runs already, and leaves it and its pages alone', async () => {
    const browser = await launchChromium();
    const pages = (await browser.pages()).length;
    const browserUrl = `http://${new URL(browser.wsEndpoint()).host}`;
    const json = join(folder, 'out.json');
    const html = join(folder, 'out.html');
    const measured = ['bulk/attached-scope', ...sized([], ['bulk/release-object-group', 'commands-keep'])];
    const only = measured.flatMap((name) => ['--only', name]);
    const args = ['--quick', ...only, '--json', json, '--html', html];
    const { exitCode, stdout, stderr } = await runCommandLine([
      'bench',
      '--browser-url',
      browserUrl,
      ...args,
    ]);
    expect(stderr).not.toContain('failed');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(sized('20,000', 'commands, keeping 1 in 100'));
    expect((await browser.pages()).length).toBe(pages);

    const report = await readReport(json);
    expect(report).toMatchObject({
      schema: 1,
      quick: true,
      rounds: 1,
      environment: { browserAt: browserUrl },
    });
    const scope = report.measurements.find(({ id }) => id === 'bulk/attached-scope');
    expect(scope).toMatchObject({ proven: true, handles: 20_000 });
    // One for all; and one where what Puppeteer drops of its own has waited, on a busy machine, for its time to be sent.
    expect(scope?.commandsPerHandle?.median).toBeLessThanOrEqual(2 / 20_000);
    expect(scope?.samples[0]).toMatchObject({ leftAlive: 0, mustLetGo: true });

    const bulk = report.measurements.filter(({ id }) => id.startsWith('bulk/'));
    expect(bulk).toHaveLength(sized(1, 2));
    const page = await browser.newPage();
    await page.setViewport({ width: 360, height: 800 });
    for (const value of ['dark', 'light']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
      await page.goto(`file://${html}`);
      const shown = await page.evaluate(() => ({
        widths: [...document.querySelectorAll('#bulk .bar')].map((bar) => bar.getBoundingClientRect().width),
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        requests: performance.getEntriesByType('resource').length,
      }));
      expect(shown.widths).toHaveLength(bulk.length);
      for (const width of shown.widths) expect(width).toBeGreaterThan(10);
      expect(shown).toMatchObject({ overflow: 0, requests: 0 });
    }
    expect(await page.$eval('#environment', (section) => section.textContent)).toContain(browserUrl);
  });

  it('says what is wrong with the address of a browser', async () => {
    const { exitCode, stderr } = await runCommandLine(['bench', '--browser-url', `http://${NOBODY}`]);
    expect(stderr).toBe(`No browser answers at http://${NOBODY}/json/version: ECONNREFUSED\n`);
    expect(exitCode).toBe(2);
  });

  it('refuses the name of a browser in the way that becomes a line and a 2', async () => {
    const server = createServer((_request, response) => response.end('{"Browser":"none"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused: readonly (readonly [BrowserChoice, string])[] = [
      [{ browserWSEndpoint: `ws://${NOBODY}/devtools/browser/x` }, `No browser answers at ws://${NOBODY}/`],
      [{ executablePath: '/nowhere/chrome' }, '/nowhere/chrome'],
      [{ executablePath: process.execPath }, `${process.execPath} cannot be launched: `],
      [
        { browserUrl: address },
        `No browser answers at ${address}/json/version: it names no webSocketDebuggerUrl`,
      ],
      [{ browserUrl: 'nowhere' }, '--browser-url is no address: "nowhere". Expected http://host:port.'],
    ];
    for (const [choice, message] of refused) {
      const error = await openBrowser(choice).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CannotRunError);
      expect((error as Error).message).toContain(message);
    }
  });

  it('skips what needs a package that is not installed, names it, and measures the rest', async () => {
    using copy = new InstalledCopy();
    // Its browser too: no other need be installed.
    for (const name of ['puppeteer-core', 'ws', '@sparticuz/chromium']) copy.link('installation', name);
    const json = join(copy.folder, 'out.json');
    const html = join(copy.folder, 'out.html');
    const only = ['playwright-send', 'remote-interface-64', 'enqueue'].flatMap((name) => ['--only', name]);
    const args = ['bench', '--quick', ...only, '--json', json, '--html', html];
    const { exitCode, stdout, stderr } = await copy.run(args);
    expect(stderr).toContain('bulk/playwright-send is skipped: playwright-core is not installed.\n');
    expect(stderr).toContain(
      'bulk/remote-interface-64 is skipped: chrome-remote-interface is not installed.\n',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('one enqueue, warm');
    const report = await readReport(json);
    expect(report.skipped).toEqual([
      { measurement: 'bulk/playwright-send', needs: 'playwright-core' },
      { measurement: 'bulk/remote-interface-64', needs: 'chrome-remote-interface' },
    ]);
    expect(report.measurements.map(({ id }) => id)).toEqual(['enqueue/release']);
    expect(report.environment.packages).not.toHaveProperty('playwright-core');
  });

  it('notes what fails, a subject or its process, and goes on with a new process', async () => {
    const preload = join(folder, 'fails-twice.mjs');
    const log = join(folder, 'starts.txt');
    // For the subject's process: in the first it ends in mid-sample, in the second no browser can be reached.
    await writeFile(
      preload,
      `import { appendFileSync, readFileSync } from 'node:fs';
      import { Socket } from 'node:net';
      if (process.argv[1].endsWith('child.js')) {
        appendFileSync(${JSON.stringify(log)}, 'x');
        const start = readFileSync(${JSON.stringify(log)}).length;
        if (start === 1) process.once('message', () => process.exit(7));
        if (start === 2) Socket.prototype.connect = () => { throw new Error('out of reach'); };
      }`,
    );
    const json = join(folder, 'failing.json');
    const args = ['bench', '--quick', '--rounds', '4', '--only', SHORT, '--json', json];
    const env = { CDP_BENCH_NODE_FLAGS: `--import=${pathToFileURL(preload)}` };
    const { exitCode, stderr } = await runCommandLine(args, { env });
    expect(stderr).toContain(`${SHORT} failed: the process of ${SHORT} ended (exit code 7)\n`);
    expect(stderr).toContain(`${SHORT} failed: out of reach\n`);
    expect(exitCode).toBe(1);
    const { failures, measurements } = await readReport(json);
    expect(failures).toMatchObject([
      { measurement: SHORT, round: 0 },
      { measurement: SHORT, round: 1 },
    ]);
    expect(measurements).toMatchObject([{ id: SHORT, proven: true }]);
    expect(measurements[0]?.samples).toHaveLength(2);
    expect(await readFile(log, 'utf8'), 'a process that has not failed goes on').toBe('xxx');
  });

  const refused: readonly (readonly [readonly string[], string])[] = [
    [['--rounds', 'many'], '--rounds must be a whole number'],
    [['--only', 'nothing-like-it'], '--only: nothing is called "nothing-like-it"'],
    [['--compare', 'a.json'], '--compare needs two files'],
    [['--compare', 'nowhere.json', 'nowhere.json'], 'nowhere.json cannot be read'],
    [['--browser-url', 'http://x', '--executable-path', 'y'], 'name one browser'],
    [['--sideways'], "Unknown option '--sideways'"],
  ];
  it.each(sized(refused.slice(0, 2), refused))('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await runCommandLine(['bench', ...args]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  const signals: readonly (readonly [NodeJS.Signals, number, string])[] = [
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
    ['SIGHUP', 129, 'its terminal hung up'],
  ];
  it.each(sized(signals.slice(0, 1), signals))(
    'writes what it has when it gets a %s',
    async (signal, code, reason) => {
      const json = join(folder, `${signal}.json`);
      const run = startBench(['--rounds', '50', '--only', SHORT, '--json', json]);
      await run.shows('round 2 of 50');
      const browsers = descendantsOf(run.child.pid ?? Number.NaN);
      run.child.kill(signal);
      expect(await run.exited).toBe(code);
      await expect.poll(() => browsers.filter(isRunning)).toEqual([]); // Nor is a browser left.
      const { cutShort, measurements } = await readReport(json);
      expect(cutShort).toBe(reason);
      expect(measurements).toContainEqual(expect.objectContaining({ id: SHORT, proven: true }));
    },
  );

  it('leaves no page behind in a browser of somebody else', async () => {
    const browser = await launchChromium();
    const before = (await browser.pages()).length;
    const run = startBench(['--only', 'bulk/puppeteer-all', '--browser-ws-endpoint', browser.wsEndpoint()]);
    const opened = new Promise((resolve) => browser.once('targetcreated', resolve));
    await opened;
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(130);
    await expect.poll(async () => (await browser.pages()).length, { timeout: 60_000 }).toBe(before);
  });

  it('writes what it has when the browser goes away', async () => {
    const browser = await launchChromium();
    const json = join(folder, 'gone.json');
    const endpoint = browser.wsEndpoint();
    const only = ['--only', SHORT];
    const run = startBench(['--rounds', '50', ...only, '--browser-ws-endpoint', endpoint, '--json', json]);
    await run.shows('round 2 of 50');
    await browser.close();
    expect(await run.exited).toBe(1);
    expect((await readReport(json)).cutShort).toBe('the browser went away');
  });
});

/** A bench in a process of its own, whose progress can be waited for. */
function startBench(args: readonly string[]) {
  const child = endsWithTest(fork(MAIN, ['bench', '--quick', ...args], { silent: true, execArgv: [] }));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const shows = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended before it said "${text}": ${stderr}`);
      await new Promise((resolve) => child.stderr?.once('data', resolve));
    }
  };
  return { child, exited, shows };
}
