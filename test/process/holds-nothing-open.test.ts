// Nothing of the library keeps a process alive: no timer that is ref'd, no port, no request, whatever waits, is
// unanswered, or is never going to be answered.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { PACKAGE, runScript, type ScriptRun } from '../support/script.ts';
import { sized } from '../support/sized.ts';

const NOTES = ['--import', join(PACKAGE, 'test/process/note-resources.mjs')];

/** The script's part is over: from here on only what is held open without need keeps it from ending. */
const OVER = `
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const seen = new Set();
  for (let count = 0; count < 20; count++) {
    await turn();
    for (const type of heldByUs()) seen.add(type);
  }
  console.log(JSON.stringify({ held: [...seen], noted: notedOfUs() > 0 }));
  process.on('beforeExit', () => console.log('beforeExit', process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate').length));
`;

const ENDED: ScriptRun = {
  code: 0,
  signal: null,
  stdout: '{"held":[],"noted":true}\nbeforeExit 0\n',
  stderr: '',
};

describe('a script that ends is not held open', () => {
  const script = async (ending: string): Promise<ScriptRun> => {
    // One for each test: a page that hangs keeps a core busy for as long as its browser is there.
    const ours = await launchChromium();
    const run = await runScript(
      `import puppeteer from 'puppeteer-core';
      import { attach } from 'cdp-release-batcher/puppeteer';
      const browser = await puppeteer.connect({ browserWSEndpoint: '${ours.wsEndpoint()}' });
      const signal = new AbortController().signal;
      const releases = attach(browser, { consoleEntries: 'discard', traceLeaks: true, signal });
      const page = await browser.newPage();
      const handles = [];
      for (let count = 0; count < 200; count++) handles.push(await page.evaluateHandle(() => ({})));
      for (const handle of handles.splice(0, 120)) handle.dispose();
      await page.evaluate('console.log({}); 1');
      notedOfUs();
      ${ending}`,
      { execArgv: NOTES },
    );
    await ours.close();
    return run;
  };

  const closes: [string, string] = [
    'that closes its page first',
    'await page.close(); await browser.disconnect();',
  ];
  it.each([
    ...sized([], [closes]),
    ['that disconnects with all of it dropped', 'await browser.disconnect();'],
    ['that detaches first', 'releases.detach(); await browser.disconnect();'],
    [
      'whose page hangs',
      `page.evaluate('while (true) {}').catch(() => {});
       page.evaluateHandle('({})').catch(() => {});
       for (let count = 0; count < 10; count++) await new Promise((resolve) => setImmediate(resolve));
       await browser.disconnect();`,
    ],
  ])('%s', async (_, ending) => {
    expect(await script(ending + OVER)).toEqual(ENDED);
  });

  it('but by what the script itself waits for: a flush', async () => {
    const { stdout } = await script(
      `page.evaluate('while (true) {}').catch(() => {});
       for (const handle of handles) handle.dispose();
       void releases.flush({ timeoutMs: 500 }).then(() => browser.disconnect());
       ${OVER}`,
    );
    expect(stdout).toBe('{"held":["Timeout"],"noted":true}\nbeforeExit 0\n');
  });
});

describe('nor by a batcher', () => {
  it.each([
    ['that waits for answers that never come', '() => new Promise(() => {})', ''],
    ['that is closed by a signal meanwhile', '() => new Promise(() => {})', 'abort.abort();'],
    ['that is refused everything', "() => Promise.reject(new Error('no'))", ''],
  ])('%s', async (_, send, ending) => {
    const run = await runScript(
      `import { ReleaseBatcher } from 'cdp-release-batcher';
      const abort = new AbortController();
      const batcher = new ReleaseBatcher({ releaseTimeoutMs: 600_000, signal: abort.signal });
      let sent = 0;
      const reply = ${send};
      const session = { send: () => (sent++, notedOfUs(), reply()) };
      for (let id = 0; id < 1_000; id++) batcher.release(session, String(id));
      while (sent === 0) await new Promise((resolve) => setImmediate(resolve));
      ${ending}
      ${OVER}`,
      { execArgv: NOTES },
    );
    expect(run).toEqual(ENDED);
  });
});
