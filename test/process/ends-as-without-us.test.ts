// However a script ends, it ends as it would have without the library: the same exit code or signal, the same output,
// down to the line of an uncaught error.
import { describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { runScript, type ScriptOptions, type ScriptRun } from '../support/script.ts';
import { sized } from '../support/sized.ts';

/** Both are of one line, so that an error's place in the script is the same. */
const WITH =
  "const { attach } = await import('cdp-release-batcher/puppeteer'); const releases = attach(browser);";
const WITHOUT = 'const releases = undefined;';

/** Something of every kind is under way: dropped, queued, in flight; live handles; a timer of the grace. */
const WORK = `
  const page = await browser.newPage();
  const kept = [];
  for (let count = 0; count < 60; count++) {
    const handle = await page.evaluateHandle(() => ({}));
    if (count % 3 === 0) kept.push(handle);
    if (count % 3 === 1) handle.dispose();
  }
  const hang = () => void page.evaluate('while (true) {}').catch(() => {});
  for (const handle of kept.splice(0, 10)) handle.dispose();
`;

async function bothWays(
  ending: string,
  { launches = false, ...options }: ScriptOptions & { readonly launches?: boolean } = {},
): Promise<{ readonly attached: ScriptRun; readonly plain: ScriptRun }> {
  // One for each test: a page that hangs keeps a core busy for as long as its browser is there.
  const browser = launches ? undefined : await launchChromium();
  const open =
    browser === undefined
      ? 'await puppeteer.launch(launchOptions)'
      : `await puppeteer.connect({ browserWSEndpoint: '${browser.wsEndpoint()}' })`;
  const run = (attach: string) =>
    runScript(
      `import puppeteer from 'puppeteer-core';
      const browser = ${open};
      ${attach}
      ${WORK}
      ${ending}`,
      { timeoutMs: 110_000, ...options },
    );
  const [attached, plain] = await Promise.all([run(WITH), run(WITHOUT)]);
  await browser?.close();
  return { attached, plain };
}

/**
 * An error that was made in a command's call has the frames of the hook that the call went through. Node's own frames
 * tell behind which other immediate the script went on, by chance: the plain script's, too.
 */
function ofTheScript(run: ScriptRun): ScriptRun {
  return { ...run, stderr: run.stderr.replaceAll(/^ {4}at .*(?:\/dist\/|\(node:internal\/).*\n/gm, '') };
}

describe('a script with releases under way ends as it does without the library', () => {
  // What fails, at once and later; and what goes on after it, or stops at once.
  const endings: [string, string, object][] = [
    ['by an error that nobody catches', "setTimeout(() => { throw new Error('on purpose'); });", { code: 1 }],
    [
      'by a command that fails and is not awaited',
      "page._client().send('Runtime.evaluate', { expression: 42 });",
      { code: 1 },
    ],
  ];
  // In `npm test` a script that handles a signal disconnects, and one that Puppeteer ends exits.
  const otherEndings: typeof endings = [
    ['at its end, having disconnected', 'hang(); await browser.disconnect();', { code: 0 }],
    ['by process.exit', 'hang(); process.exit(3);', { code: 3 }],
    ['by a rejection that nobody handles', "Promise.reject(new Error('on purpose'));", { code: 1 }],
    [
      'by process.exit in a listener of its own',
      "process.on('exit', () => console.log('bye')); process.exit(4);",
      { code: 4, stdout: 'bye\n' },
    ],
    ['by an exit code that was set before', 'process.exitCode = 5; await browser.disconnect();', { code: 5 }],
    ['by an abort', 'process.abort();', { code: null }],
    [
      'by an error that it catches at the last moment',
      "process.on('uncaughtException', (error) => { console.log(error.message); process.exit(6); }); setTimeout(() => { throw new Error('on purpose'); });",
      { code: 6, stdout: 'on purpose\n' },
    ],
  ];
  it.each(sized(endings, [...endings, ...otherEndings]))('%s', async (_, ending, expected) => {
    const { attached, plain } = await bothWays(ending);
    expect(plain).toMatchObject(expected);
    expect(ofTheScript(attached)).toEqual(ofTheScript(plain));
  });

  // One that Node ends by, and one that Puppeteer listens to where it launched the browser, and exits by itself.
  const signals: [NodeJS.Signals, boolean, object][] = [
    ['SIGTERM', false, { code: null, signal: 'SIGTERM' }],
    ['SIGINT', true, { code: 130, signal: null }],
  ];
  const others: typeof signals = [
    ['SIGINT', false, { code: null, signal: 'SIGINT' }],
    ['SIGTERM', true, {}],
    ['SIGHUP', true, {}],
  ];
  it.each(sized(signals, [...signals, ...others]))(
    'by %s, the browser launched by the script itself: %s',
    async (signalWhenReady, launches, expected) => {
      const wait = launches ? '' : 'setInterval(() => {}, 1e6);';
      const ending = `hang(); console.log('ready'); ${wait}`;
      const { attached, plain } = await bothWays(ending, { launches, signalWhenReady });
      expect(plain).toMatchObject(expected);
      expect(attached).toEqual(plain);
    },
  );

  it('by a signal that it handles itself', async () => {
    const ending =
      "hang(); process.on('SIGTERM', async () => { console.log('closing'); await browser.disconnect(); process.exitCode = 7; clearInterval(timer); });" +
      "const timer = setInterval(() => {}, 1e6); console.log('ready');";
    const { attached, plain } = await bothWays(ending, { signalWhenReady: 'SIGTERM' });
    expect(plain).toMatchObject({ code: 7, signal: null, stdout: 'ready\nclosing\n' });
    expect(attached).toEqual(plain);
  });
});
