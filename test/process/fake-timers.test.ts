// Programs that drive a browser are mostly test suites, and these stop the time: the library's own goes on, whichever
// timers are faked, for however long, before its import or after. No timer that was lost leaves anything stuck.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';

/** Fakes as `@sinonjs/fake-timers` makes them, in the same places, but that no clock ever ticks for. */
const FAKES = `
  import timers from 'node:timers';
  const real = { setTimeout, clearTimeout, setImmediate, clock: Performance.prototype.now.bind(performance) };
  const sleep = (ms) => new Promise((resolve) => real.setTimeout(resolve, ms));
  const tick = () => new Promise((resolve) => real.setImmediate(resolve));
  function fake(names) {
    const clock = {};
    const undo = names.map((name) => {
      const owner = name === 'nextTick' ? process : globalThis;
      const original = owner[name];
      clock['_' + name] = original;
      if (name === 'performance') {
        const now = () => 0;
        Object.defineProperty(original, 'now', { configurable: true, writable: true, value: now });
        Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: { now, timeOrigin: 0, clock } });
        return () => { delete original.now; Object.defineProperty(globalThis, name, { value: original }); };
      }
      const double = name === 'Date' ? class extends Date { static now() { return 0; } } : () => ({ ref() {}, unref() { return this; }, refresh() {} });
      double.clock = clock;
      owner[name] = double;
      const inModule = timers[name];
      if (inModule !== undefined) timers[name] = double;
      return () => { owner[name] = original; if (inModule !== undefined) timers[name] = inModule; };
    });
    return () => { for (const step of undo) step(); };
  }`;

/** A browser of a few lines; and work that disposes of most of what it mints, keeps some, and forgets the rest. */
const WORK = `
  let minted = 0;
  const groupOf = new Map(); // Of what lives in the browser.
  const answers = {
    'Runtime.evaluate': ({ objectGroup }) => {
      const objectId = '-1.1.' + ++minted;
      groupOf.set(objectId, objectGroup);
      return { result: { type: 'object', objectId } };
    },
    'Runtime.releaseObject': ({ objectId }) => void groupOf.delete(objectId),
    'Runtime.releaseObjectGroup': ({ objectGroup }) => {
      for (const [objectId, group] of groupOf) if (group === objectGroup) groupOf.delete(objectId);
    },
    // Handles so large are not left to wait.
    'Runtime.getHeapUsage': () => ({ usedSize: minted * 2e6 }),
  };
  const session = { on() {}, send: async (method, params) => answers[method]?.(params) ?? {} };
  const mint = async () => (await session.send('Runtime.evaluate', { expression: '({})' })).result;
  const kept = [];
  async function work() {
    for (let count = 0; count < 200; count++) {
      const { objectId } = await mint();
      if (count % 40 === 0) kept.push(await mint());
      if (count % 3 > 0) await session.send('Runtime.releaseObject', { objectId });
    }
    for (let count = 0; count < 20; count++) await mint();
  }
  async function until(condition) {
    const deadline = real.clock() + 50_000;
    while (!condition() && real.clock() < deadline) { gc(); await sleep(50); }
    return condition();
  }`;

const FAKED: readonly (readonly [string, readonly string[]])[] = [
  ['timeouts', ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date']],
  ['immediates', ['setImmediate', 'clearImmediate']],
  ['microtasks', ['nextTick', 'queueMicrotask']],
  ['clocks', ['performance', 'Date']],
  [
    'all',
    [
      ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
      ...['nextTick', 'queueMicrotask', 'performance', 'Date'],
    ],
  ],
];
const BEFORE = ['setTimeout', 'clearTimeout', 'setImmediate', 'nextTick', 'queueMicrotask', 'performance'];

describe('what is dropped while timers are faked is released, and so is what is dropped after', () => {
  // Most of each is waiting for groups with survivors, so that all wait at once: before the tests, for whatever a test
  // starts ends with it, and of tests that run side by side it is not known which one has started what.
  const runs = new Map<string, Promise<unknown>>();
  beforeAll(async () => {
    for (const [name, names] of FAKED) runs.set(name, runFaked('during', names));
    runs.set('before', runFaked('from the start', BEFORE));
    await Promise.allSettled(runs.values());
  });

  it.each(FAKED)('%s, after the import', async (name) => {
    expect(await runs.get(name)).toEqual(RELEASED);
  });

  it('all of them, before the import', async () => {
    expect(await runs.get('before')).toEqual(RELEASED);
  });
});

const RELEASED = { whileFaked: true, afterwards: true, flushed: { complete: true, pending: 0 }, live: 10 };

async function runFaked(when: 'during' | 'from the start', names: readonly string[]): Promise<unknown> {
  const { stdout, ...rest } = await runScript(
    `${FAKES}
    ${WORK}
    const names = ${JSON.stringify(names)};
    let restore = ${when === 'from the start'} ? fake(names) : undefined;
    const { attach } = await import('cdp-release-batcher/session');
    const releases = attach(session, { track: true, targetType: 'page', moveSurvivors: false });
    const isOver = () => groupOf.size === kept.length;
    restore ??= fake(names);
    await work();
    const whileFaked = await until(isOver);
    restore();
    await work();
    const afterwards = await until(isOver);
    let limit;
    const hangs = new Promise((resolve) => { limit = real.setTimeout(resolve, 60_000, { complete: 'hangs' }); });
    const { complete, pending } = await Promise.race([releases.flush(), hangs]);
    real.clearTimeout(limit);
    const { live } = releases.stats();
    releases.detach();
    console.log(JSON.stringify({ whileFaked, afterwards, flushed: { complete, pending }, live }));`,
    { execArgv: ['--expose-gc'] },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

it.each([
  [
    'timers are numbers, and there are no immediates',
    'for (const name of ["setTimeout", "setInterval"]) { const start = globalThis[name]; globalThis[name] = (...given) => Number(start(...given)); } delete globalThis.setImmediate;',
  ],
  ['there is no tick', 'process.nextTick = undefined;'],
])('where Node gives no modules and %s, all is as ever', async (_, surroundings) => {
  const { stdout, ...rest } = await runScript(
    `${FAKES}
    ${WORK}
    process.getBuiltinModule = undefined;
    const { nextTick } = process;
    ${surroundings}
    const { attach } = await import('cdp-release-batcher/session');
    process.nextTick = nextTick;
    const releases = attach(session, { track: true });
    await work();
    const isOver = await until(() => groupOf.size === kept.length);
    const { complete } = await releases.flush();
    releases.detach();
    console.log(JSON.stringify({ isOver, complete }));`,
    { execArgv: ['--expose-gc'] },
  );
  expect({ ...rest, ...JSON.parse(stdout) }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
    isOver: true,
    complete: true,
  });
});

// The linter refuses the globals; of members of objects it knows nothing.
it('nothing of the library asks `process` for a tick, or the wall clock for the time', async () => {
  const source = join(PACKAGE, 'src');
  const files = await readdir(source, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.ts') && name !== 'timers.ts')) {
    const text = await readFile(join(source, file), 'utf8');
    // In a page, or above a report for people to read.
    if (!file.startsWith('cli')) expect(text, file).not.toMatch(/process\.nextTick|\bDate\b/);
  }
});
