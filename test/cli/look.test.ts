// `doctor --browser-url` counts what clients that are not ours hold in a running browser, and says clearly what it could
// not look into.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import CDP from 'chrome-remote-interface';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { lookCommand } from '../../src/cli/look/command.ts';
import type { BrowserReport } from '../../src/cli/look/report.ts';
import { launchChromium } from '../support/chromium.ts';
import { lacking } from '../support/lacking.ts';
import { endsWithTest } from '../support/processes.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import { MAIN, runCommandLine } from './command-line.ts';

let browser: Browser;
let site: Site;
let browserUrl: string;

beforeAll(async () => {
  browser = await launchChromium({ args: ['--remote-debugging-port=0', '--site-per-process'] });
  browserUrl = urlOf(browser);
  site = await openSite({
    '/with-parts': '<script>globalThis.worker = new Worker("/worker.js")</script>',
    '/worker.js': 'globalThis.make = () => new (class Task {})()',
  });
});

afterAll(() => site[Symbol.asyncDispose]());

function urlOf(running: Browser): string {
  return `http://${new URL(running.wsEndpoint()).host}`;
}

async function openAt(address: string): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(address);
  return page;
}

interface Look {
  readonly exitCode: number | null;
  readonly report: BrowserReport;
  readonly stderr: string;
}

async function look(args: readonly string[], url = browserUrl): Promise<Look> {
  const { exitCode, stdout, stderr } = await runCommandLine([
    'doctor',
    '--browser-url',
    url,
    '--json',
    ...args,
  ]);
  return { exitCode, report: JSON.parse(stdout || '{}') as BrowserReport, stderr };
}

type Send = (method: string, params?: object, sessionId?: string) => Promise<unknown>;

/** Clients of the whole browser: by its address, since a bundled headless shell dies of being asked for its list of pages. */
const CLIENTS: readonly [string, () => Promise<Send>][] = [
  [
    'chrome-remote-interface',
    async () => {
      const client = await CDP({ target: browser.wsEndpoint(), local: true });
      onTestFinished(() => client.close());
      return (method, params, sessionId) => client.send(method, params, sessionId);
    },
  ],
  [
    'a bare WebSocket',
    async () => {
      const socket = new WebSocket(browser.wsEndpoint());
      onTestFinished(() => socket.close());
      await new Promise((resolve) => socket.once('open', resolve));
      const waiting = new Map<number, (result: unknown) => void>();
      socket.on('message', (data) => {
        const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
        if (id !== undefined) waiting.get(id)?.(result);
      });
      return (method, params, sessionId) =>
        new Promise((resolve) => {
          const id = waiting.size + 1;
          waiting.set(id, resolve);
          socket.send(JSON.stringify({ id, method, params, sessionId }));
        });
    },
  ],
];

it.each(sized(CLIENTS.slice(0, 1), CLIENTS))(
  'counts what %s holds, in a page, a frame of another site and a worker, and invents none',
  async (_, connect) => {
    const page = await openAt(`${site.here}/with-parts`);
    await addFrame(page);
    await expect.poll(() => page.workers().length).toBe(1);
    const send = await connect();
    const { targetInfos } = (await send('Target.getTargets')) as {
      targetInfos: { targetId: string; url: string }[];
    };
    const hold = async (address: string, times: number, expression: string): Promise<void> => {
      const targetId = targetInfos.find(({ url }) => url.endsWith(address))?.targetId;
      const attached = await send('Target.attachToTarget', { targetId, flatten: true });
      const { sessionId } = attached as { sessionId: string };
      for (let time = 0; time < times; time++) await send('Runtime.evaluate', { expression }, sessionId);
    };
    await hold('/with-parts', 25, 'new Map()');
    await hold('/framed', 8, "document.createElement('em')");
    await hold('/worker.js', 7, 'make()');
    const { report, exitCode } = await look([]);
    expect(classesAt(report, '/with-parts')).toEqual({ Map: 25 });
    expect(classesAt(report, '/framed')).toEqual({ '<em>': 8 });
    expect(classesAt(report, '/worker.js')).toEqual({ Task: 7 });
    expect(exitCode).toBe(0);
  },
);

async function addFrame(page: Pick<Page, 'evaluate'>): Promise<void> {
  await page.evaluate(async (address) => {
    const frame = document.createElement('iframe');
    frame.src = address;
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    document.body.append(frame);
    await loaded;
  }, `${site.elsewhere}/framed`);
}

async function addressOf(page: Page): Promise<string> {
  const { targetInfo } = await (await page.createCDPSession()).send('Target.getTargetInfo');
  return `ws://${new URL(browserUrl).host}/devtools/page/${targetInfo.targetId}`;
}

it('counts what Playwright holds, in a page, a frame of another site and a worker', async () => {
  const client = await chromium.connectOverCDP(browserUrl);
  onTestFinished(() => client.close());
  const page = (await client.contexts()[0]?.newPage()) ?? expect.fail('Playwright has no context.');
  onTestFinished(() => page.close());
  await page.goto(`${site.here}/with-parts`);
  await addFrame(page);
  const before = await look([]);
  await expect.poll(() => page.workers().length).toBe(1);
  for (let time = 0; time < 9; time++) await page.evaluateHandle(() => new Set());
  const frame = page.frames().find((each) => each.url().endsWith('/framed'));
  for (let time = 0; time < 8; time++) await frame?.evaluateHandle(() => document.createElement('em'));
  for (let time = 0; time < 7; time++) await page.workers()[0]?.evaluateHandle('make()');
  const { report } = await look([]);
  expect(classesAt(report, '/with-parts')).toMatchObject({ Set: 9 });
  expect(classesAt(report, '/framed')).toMatchObject({ '<em>': 8 });
  expect(classesAt(report, '/worker.js')).toMatchObject({ Task: 7 });
  // Playwright's own, in each execution context, were there before.
  expect(report.held - before.report.held).toBeLessThanOrEqual(9 + 8 + 7 + OF_PLAYWRIGHT);
});

/** Its injected script, in three contexts. */
const OF_PLAYWRIGHT = 3;

function classesAt(
  { targets }: BrowserReport,
  address: string,
): Readonly<Record<string, number>> | undefined {
  return targets.find(({ url }) => url.endsWith(address))?.classes;
}

it('counts what a bare WebSocket holds, fails over a number, and leaves nothing behind', async () => {
  const page = await openAt(`${site.here}/bare`);
  await page.evaluate(() => console.log({}, {}));
  const socket = new WebSocket(await addressOf(page));
  onTestFinished(() => socket.close());
  await new Promise((resolve) => socket.once('open', resolve));
  for (let id = 1; id <= 30; id++) {
    socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression: '/x/' } }));
  }
  await new Promise<void>((resolve) =>
    socket.on('message', (data) => String(data).includes('"id":30') && resolve()),
  );
  const held = { held: 32, heldByConsole: 2, classes: { RegExp: 30, Object: 2 } };
  const over = await look(['--target', '/bare', '--fail-over', '29']);
  expect(over).toMatchObject({ exitCode: 1, report: { targets: [held] } });
  // As the first look left it; and what the console holds is not counted.
  const within = await look(['--target', '/bare', '--fail-over', '30']);
  expect(within).toMatchObject({ exitCode: 0, report: { targets: [held] } });
});

it('does not count to the page that was asked for what is held in another with the same heap', async () => {
  const opener = await openAt(`${site.here}/opener`);
  const [popup] = await Promise.all([
    new Promise<Page>((resolve) => opener.once('popup', (opened) => resolve(opened as Page))),
    opener.evaluate(() => void window.open('/popped-up')),
  ]);
  onTestFinished(() => popup.close());
  for (let time = 0; time < 3; time++) await opener.evaluateHandle(() => new Set());
  for (let time = 0; time < 2; time++) await popup.evaluateHandle(() => new Map());
  const { report } = await look(['--target', '/popped-up']);
  expect(report.targets).toMatchObject([{ held: 2, classes: { Map: 2 }, sharesHeapWith: 1 }]);
});

const PYTHON = process.env.PYTHON ?? 'python3';
const hasPyppeteer = spawnSync(PYTHON, ['-c', 'import pyppeteer']).status === 0;

it(
  'counts what pyppeteer holds',
  lacking(hasPyppeteer ? undefined : 'pyppeteer, a Python client'),
  async () => {
    await openAt(`${site.here}/python`);
    const child = endsWithTest(
      spawn(PYTHON, ['-c', PYPPETEER, browser.wsEndpoint()], { stdio: ['pipe', 'pipe', 2] }),
    );
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const { report } = await look(['--target', '/python']);
    expect(report.targets[0]?.classes).toMatchObject({ Date: 11 });
  },
);

const PYPPETEER = `
import asyncio, sys
from pyppeteer import connect
async def main():
    browser = await connect(browserWSEndpoint=sys.argv[1])
    page = [page for page in await browser.pages() if page.url.endswith('/python')][0]
    handles = [await page.evaluateHandle('() => new Date()') for _ in range(11)]
    print('held', flush=True)
    sys.stdin.read()
asyncio.run(main())
`;

it('looks again and again, and writes a page', async () => {
  const page = await openAt(`${site.here}/again`);
  const folder = mkdtempSync(join(tmpdir(), 'look-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const html = join(folder, 'look.html');
  const args = ['--browser-url', browserUrl, '--target', '/again', '--every', '50ms', '--html', html];
  const child = endsWithTest(
    spawn(process.execPath, [MAIN, 'doctor', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  let printed = '';
  child.stdout?.on('data', (text) => {
    printed += text;
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  await expect.poll(() => printed).toContain('kept alive');
  for (let time = 0; time < 6; time++) await page.evaluateHandle(() => new (class Évènement {})());
  await expect.poll(() => printed).toMatch(/^ +6 +\+6 +▁\S*█/m);
  child.kill('SIGINT');
  expect(await exited).toBe(0);
  expect(readFileSync(html, 'utf8')).toMatch(/6 Évènement[\s\S]*Over time/);
});

it('says what it could not look into, and does not call it clean', async () => {
  const page = await openAt(`${site.here}/hangs`);
  await page.evaluate(
    () =>
      void setTimeout(() => {
        for (;;);
      }),
  );
  const args = ['--target', '/hangs', '--timeout', '300ms', '--fail-over', '1000'];
  const { exitCode, report } = await look(args);
  expect(exitCode).toBe(1);
  expect(report).toMatchObject({ targets: [], unseen: [{ why: 'it gave no sign of life for 0.3 s' }] });
});

it('ends with a line where the browser closes meanwhile', async () => {
  const other = await launchChromium({ args: ['--remote-debugging-port=0'] });
  const args = ['--browser-url', urlOf(other), '--every', '1h'];
  const child = endsWithTest(
    spawn(process.execPath, [MAIN, 'doctor', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  let [printed, said] = ['', ''];
  child.stdout?.on('data', (text) => {
    printed += text;
  });
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  await expect.poll(() => printed).toContain('about:blank');
  await other.close();
  expect(await exited).toBe(1);
  expect(said).toBe('The look has ended: the browser closed the connection.\n');
});

const wrong: readonly (readonly [readonly string[], string])[] = [
  [['--browser-url', 'http://127.0.0.1:1'], 'No browser answers at http://127.0.0.1:1: '],
  [
    ['--browser-url', 'localhost:9222'],
    '--browser-url must be an address such as http://127.0.0.1:9222, got "localhost:9222".',
  ],
  [['--browser-ws-endpoint', 'http://x'], '--browser-ws-endpoint must be an address such as ws://'],
  [
    ['--browser-url', 'http://x', '--browser-ws-endpoint', 'ws://x'],
    'Give --browser-url or --browser-ws-endpoint, not both.',
  ],
  [
    ['--browser-url', 'http://x', '--max-heap', 'much'],
    '--max-heap must be a whole number from 0 on, got "much".',
  ],
];
it.each(wrong.slice(1))('has a line for what is wrong with %j', async (args, message) => {
  const refused = lookCommand(args);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toThrow(CannotRunError);
});

it.each(sized(wrong.slice(0, 2), wrong))('tells what is wrong with %j', async (args, message) => {
  const { exitCode, stderr, stdout } = await runCommandLine(['doctor', ...args]);
  expect(stderr).toContain(message);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
});

it('tells that what answers is no browser, and that nothing has such an address', async () => {
  const server = createServer((_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect(await look([], `http://127.0.0.1:${port}`)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining(`What answers at http://127.0.0.1:${port} is no browser`),
  });
  expect(await look(['--target', 'nowhere'])).toMatchObject({
    exitCode: 2,
    stderr: 'No page, frame or worker has "nowhere" in its address.\n',
  });
});
