// The package loads where there is no Node: in a page of a real Chromium, bundled for browsers.
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import { launchChromium, openPage } from '../support/chromium.ts';
import { PACKAGE } from '../support/script.ts';

/** One script that leaves what the entry exports in `library`. */
async function bundledForBrowsers(entry: string): Promise<OutputChunk> {
  const main = join(PACKAGE, 'virtual-main.js');
  const bundle = await rolldown({
    input: main,
    platform: 'browser',
    plugins: [
      {
        name: 'virtual-main',
        resolveId: (id) => (id === main ? id : undefined),
        load: (id) => (id === main ? `export * from '${entry}';` : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'library' });
  return output[0] as OutputChunk;
}

declare const library: typeof import('../../src/index.ts') & typeof import('../../src/clients/session.ts');

it('a session needs nothing of Node to be attached to, nor a scope', async () => {
  const { code, imports } = await bundledForBrowsers('cdp-release-batcher/session');
  expect(imports).toEqual([]);
  const page = await openPage(await launchChromium());
  await page.addScriptTag({ content: `${code}; window.library = library;` });
  const outcome = await page.evaluate(async () => {
    const sent: string[] = [];
    const session = {
      on() {},
      off() {},
      send: async (method: string, _params?: object) => {
        sent.push(method);
        return { result: { type: 'object', objectId: `1.1.${sent.length}` } };
      },
    };
    const releases = library.attach(session, { track: true });
    const { result } = await session.send('Runtime.evaluate');
    await session.send('Runtime.releaseObject', result);
    await releases.flush();
    return { sent, stats: releases.stats() };
  });
  expect(outcome).toMatchObject({ stats: { minted: 1, disposed: 1, released: 1, live: 0 } });
  expect(outcome.sent.filter((method) => method.startsWith('Runtime.release'))).toHaveLength(1);
});

it('a scope takes, by its callback’s argument, what is minted after an await', async () => {
  const { code } = await bundledForBrowsers('cdp-release-batcher/session');
  const page = await openPage(await launchChromium());
  await page.addScriptTag({ content: `${code}; window.library = library;` });
  const outcome = await page.evaluate(async () => {
    let minted = 0;
    const session = {
      on() {},
      off() {},
      send: async (_method: string, _params?: object) => {
        return { result: { type: 'object', objectId: `1.1.${++minted}` } };
      },
    };
    const releases = library.attach(session, { track: true });
    const outside: object[] = [];
    const evaluate = () => session.send('Runtime.evaluate', { expression: '({})' });
    await releases.scope(async (scope) => {
      await evaluate(); // Before the first await the scope is known by itself.
      outside.push(await evaluate()); // Then it is not.
      await scope.run(evaluate);
      await releases.scope((inner) => inner.run(evaluate));
    });
    outside.push(await evaluate());
    await releases.flush();
    const { live, disposed } = releases.stats();
    return { live, disposed, held: outside.length };
  });
  expect(outcome).toEqual({ live: 2, disposed: 3, held: 2 });
});

it('the batcher needs nothing of Node, and releases from a page', async () => {
  const { code, imports } = await bundledForBrowsers('cdp-release-batcher');
  expect(imports).toEqual([]);
  const page = await openPage(await launchChromium());
  await page.addScriptTag({ content: `${code}; window.library = library;` });
  const outcome = await page.evaluate(async () => {
    const sent: string[] = [];
    const batcher = new library.ReleaseBatcher();
    batcher.release({ send: async (method: string) => void sent.push(method) }, '1.1.1');
    await batcher.flush();
    return { sent, released: batcher.stats().released };
  });
  expect(outcome).toEqual({ sent: ['Runtime.releaseObject'], released: 1 });
});
