// Whatever a client's `send` does, no rejection of ours goes unhandled and nothing is thrown; and a rejection that is
// the user's to handle, or not, is reported as often as it would be without the library.
import { describe, expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

/** Sends that no client should have, by what they do. */
const SENDS = {
  'throws an error': "() => { throw new Error('thrown'); }",
  'throws nothing': '() => { throw undefined; }',
  'rejects with nothing': '() => Promise.reject()',
  'rejects with null': '() => Promise.reject(null)',
  'rejects with what cannot be read':
    "() => Promise.reject(new Proxy({}, { get() { throw new Error('get'); }, has() { throw new Error('has'); } }))",
  'rejects with an error whose message throws':
    "() => Promise.reject(Object.defineProperty(new Error(), 'message', { get() { throw new Error('message'); } }))",
  'rejects with a symbol': "() => Promise.reject(Symbol('s'))",
  // One for all: to make two hundred of them takes longer than all the rest.
  'rejects with a message of 10 MB':
    "((message) => () => Promise.reject(new Error(message)))('x'.repeat(1e7))",
  'returns nothing': '() => undefined',
  'returns a thenable that throws': "() => ({ then() { throw new Error('then'); } })",
  'returns a thenable whose then is a getter that throws':
    "() => ({ get then() { throw new Error('then'); } })",
  'returns a thenable that calls back twice':
    '() => ({ then(resolve, reject) { resolve({}); reject(new Error()); resolve({}); throw new Error(); } })',
  'returns a promise of another realm': "() => vm.runInNewContext('Promise.reject(new Error())')",
  'never answers': '() => new Promise(() => {})',
};

const PRELUDE = `
  import vm from 'node:vm';
  process.on('unhandledRejection', (reason) => console.log('unhandled', String(reason?.message)));
  process.on('uncaughtException', (error) => console.log('uncaught', String(error?.message)));
  const turns = async (count) => { while (count-- > 0) await new Promise((resolve) => setImmediate(resolve)); };
`;

describe('nothing goes unhandled where a send', () => {
  it.each(Object.entries(SENDS))('%s', async (_, send) => {
    const run = await runScript(`
      ${PRELUDE}
      import { ReleaseBatcher } from 'cdp-release-batcher';
      const batcher = new ReleaseBatcher({ releaseTimeoutMs: 100 });
      const session = { send: ${send} };
      for (let id = 0; id < 200; id++) batcher.release(session, String(id));
      batcher.releaseGroup(session, 'group');
      await batcher.flush();
      await batcher.close();
      await turns(20);
      const stats = batcher.stats();
      const { released, gone, elided, failed, timedOut, dropped } = stats;
      console.log(stats.minted, released + gone + elided + failed + timedOut + dropped);`);
    expect(run).toEqual({ code: 0, signal: null, stdout: '200 200\n', stderr: '' });
  });
});

it('a rejection that is the user’s own is reported as often as without the library', async () => {
  const script = (attach: string) => `
    ${PRELUDE}
    import puppeteer from 'puppeteer-core';
    const browser = await puppeteer.launch(launchOptions);
    ${attach}
    const page = await browser.newPage();
    const session = page._client();
    // None of these is awaited, and none is caught.
    for (const [method, params] of [
      ['Runtime.evaluate', { expression: 42 }],
      ['Runtime.callFunctionOn', { objectId: '1.1.1', functionDeclaration: 'function() {}' }],
      ['Runtime.getProperties', {}],
      ['Runtime.addBinding', { name: 42 }],
      ['Runtime.releaseObjectGroup', {}],
      ['Runtime.releaseObject', {}],
      ['Page.navigate', {}],
      ['No.such', {}],
    ]) { session.send(method, params); await turns(50); }
    page.evaluate(() => { throw new Error('in the page'); });
    await page.evaluate('1');
    page.evaluateHandle(() => new Promise(() => {}));
    await page.close();
    await turns(50);
    await browser.close();`;
  const attach =
    "const { attach } = await import('cdp-release-batcher/puppeteer'); const releases = attach(browser);";
  const [attached, plain] = await Promise.all([runScript(script(attach)), runScript(script(''))]);
  expect(plain.stdout.match(/^unhandled/gm)).toHaveLength(10);
  // Answers that come in one go are reported in the order of their chains, which a longer chain may change.
  expect(inAnyOrder(attached)).toEqual(inAnyOrder(plain));
});

function inAnyOrder<Run extends { readonly stdout: string }>(run: Run): Run {
  return { ...run, stdout: run.stdout.split('\n').sort().join('\n') };
}
