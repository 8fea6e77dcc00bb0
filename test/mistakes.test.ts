// Every public function, given something else than it takes: it says at once, in one sentence, what was given or what to
// give. Nothing is attached by then, and no error of somebody else's comes out of the depth later.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { attach as attachRemoteInterface } from '../src/clients/chrome-remote-interface.ts';
import { attach as attachInspector } from '../src/clients/node-inspector.ts';
import { attach as attachPlaywright } from '../src/clients/playwright/index.ts';
import { attach as attachPuppeteer, lazyBrowser, withReleases } from '../src/clients/puppeteer/index.ts';
import { attach as attachSession } from '../src/clients/session.ts';
import { ReleaseBatcher } from '../src/index.ts';
import { observeWithOpenTelemetry } from '../src/observe/opentelemetry.ts';
import { collectWithPrometheus } from '../src/observe/prometheus.ts';
import {
  createInitLock,
  FlightGroup,
  guardInFlight,
  initWithLock,
  LazySlot,
  revokeClaim,
  SingleFlightCache,
} from '../src/single-flight/index.ts';
import { expectNoLeaks } from '../src/testing/index.ts';
import { connectReleasePort, openReleasePort, trackInWorker } from '../src/threads/index.ts';
import { type PublicFunction, publicFunctions } from './support/public-functions.ts';

// Calls that types would refuse: a program in JavaScript makes them.
type Loose = (...given: unknown[]) => unknown;
const loosely = (callee: unknown): Loose => callee as Loose;
const method =
  (object: object, name: string): Loose =>
  (...given) =>
    Reflect.apply(Reflect.get(object, name), object, given);

const methods = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, () => {}]));
const playwrightContext = methods('browser', 'pages', 'newPage', 'newCDPSession', 'on', 'close');
const puppeteerPage = methods('frames', 'browserContext', 'createCDPSession', 'isClosed', 'browser');
const frame = methods('childFrames', 'page', 'url', 'evaluate');
const session = (): EventEmitter & { send(): Promise<unknown> } =>
  Object.assign(new EventEmitter(), { send: async () => ({}) });

const untracked = attachSession(session());
const tracked = attachSession(session(), { track: true });
const batcher = new ReleaseBatcher();
const keyOf = (given: unknown): unknown => {
  using port = openReleasePort(batcher);
  return method(port, 'keyOf')(given);
};
const prom = { Counter: class {}, Gauge: class {} };
const meter = methods('createObservableCounter', 'createObservableGauge');

/** A name begins with the function that it is about, of which class where there is one. */
const MISTAKES: [name: string, call: () => unknown, says: RegExp][] = [
  [
    "attach of a Playwright context to Puppeteer's",
    () => loosely(attachPuppeteer)(playwrightContext),
    /Playwright; use attach of 'cdp-release-batcher\/playwright'/,
  ],
  [
    'attach of a browser that was not awaited',
    () => loosely(attachPuppeteer)(Promise.resolve({})),
    /got a Promise; await it first/,
  ],
  ['attach of a Frame', () => loosely(attachPuppeteer)(frame), /got a Frame; attach to its page/],
  [
    'attach of Puppeteer itself',
    () => loosely(attachPuppeteer)(methods('launch', 'connect')),
    /withReleases/,
  ],
  ['attach of nothing', () => loosely(attachPuppeteer)(), /expected a Puppeteer Browser.*got undefined/],
  ['attach of a text', () => loosely(attachPuppeteer)('browser'), /got 'browser'/],
  [
    "attach of a Puppeteer page to Playwright's",
    () => loosely(attachPlaywright)(puppeteerPage),
    /Puppeteer; use attach of 'cdp-release-batcher\/puppeteer'/,
  ],
  [
    'attach of a Playwright browser that was not awaited',
    () => loosely(attachPlaywright)(Promise.resolve({})),
    /got a Promise; await it first/,
  ],
  [
    'attach of an object without send',
    () => loosely(attachSession)({}),
    /expected an object with send and on/,
  ],
  [
    'attach of a session that was not awaited',
    () => loosely(attachSession)(Promise.resolve({})),
    /got a Promise; await it first/,
  ],
  [
    'attach of what is no remote interface',
    () => loosely(attachRemoteInterface)(Promise.resolve({})),
    /got a Promise; await it first/,
  ],
  [
    'attach of what is no inspector',
    () => loosely(attachInspector)({}),
    /expected a Session of node:inspector/,
  ],
  [
    'attach with an option that there is not',
    () => loosely(attachSession)(session(), { tracks: true }),
    /no option 'tracks'.*track/,
  ],
  [
    'attach of a remote interface with one',
    () => loosely(attachRemoteInterface)(methods('send', 'on', 'emit', 'close'), { session: 'a' }),
    /no option 'session'.*sessionId/,
  ],
  [
    'attach with options that are none',
    () => loosely(attachSession)(session(), 'track'),
    /options must be an object, got 'track'/,
  ],
  [
    'withReleases of nothing',
    () => loosely(withReleases)(),
    /expected a Puppeteer with launch\(\) or connect\(\), got undefined/,
  ],
  [
    'withReleases of an import that was not awaited',
    () => loosely(withReleases)(Promise.resolve({})),
    /got a Promise; await it first/,
  ],
  [
    'withReleases with an option that there is not',
    () => loosely(withReleases)(methods('launch'), { tracks: true }),
    /no option 'tracks'/,
  ],
  ['lazyBrowser of a browser', () => loosely(lazyBrowser)(Promise.resolve({})), /launch must be a function/],
  [
    'lazyBrowser with an option that there is not',
    () => loosely(lazyBrowser)(() => {}, { deadline: 1 }),
    /no option 'deadline'.*deadlineMs/,
  ],
  ['scope without a body', () => method(tracked, 'scope')(), /scope: body must be a function, got undefined/],
  ['scope where nothing is tracked', () => untracked.scope(() => {}), /nothing is tracked.*track: true/],
  ['openScope where nothing is tracked', () => untracked.openScope(), /nothing is tracked.*track: true/],
  ['escape of nothing', () => method(tracked, 'escape')(), /escape: expected a handle/],
  [
    'flush with an option that there is not',
    () => method(tracked, 'flush')({ timeout: 5 }),
    /no option 'timeout'.*timeoutMs/,
  ],
  [
    'expectNoLeaks of a page of Playwright, with heldByOthers',
    () =>
      expectNoLeaks(methods('context', 'isClosed', 'mainFrame') as never, () => {}, { heldByOthers: true }),
    /heldByOthers is for Puppeteer; of Playwright it cannot be told/,
  ],
  ['flush with a number', () => method(batcher, 'flush')(5), /options must be an object, got 5/],
  [
    'ReleaseBatcher with an option that there is not',
    () => new ReleaseBatcher(Object.fromEntries([['batchSize', 8]])),
    /no option 'batchSize'.*maxBatchSize/,
  ],
  [
    'openReleasePort without a batcher',
    () => loosely(openReleasePort)(),
    /expected a ReleaseBatcher.*got undefined/,
  ],
  [
    'openReleasePort with an option that there is not',
    () => loosely(openReleasePort)(batcher, { size: 8 }),
    /no option 'size'.*capacity/,
  ],
  [
    'connectReleasePort with nothing',
    () => loosely(connectReleasePort)(),
    /expected the handle of a ReleasePort.*got undefined/,
  ],
  [
    'collectWithPrometheus of nothing',
    () => loosely(collectWithPrometheus)(),
    /first argument must be prom-client/,
  ],
  [
    'collectWithPrometheus of no prom-client',
    () => loosely(collectWithPrometheus)({}),
    /first argument must be prom-client/,
  ],
  [
    'collectWithPrometheus without a source',
    () => loosely(collectWithPrometheus)(prom),
    /expected an attachment or a ReleaseBatcher/,
  ],
  [
    'collectWithPrometheus of what is no source',
    () => loosely(collectWithPrometheus)(prom, { a: {} }),
    /expected an attachment or a ReleaseBatcher/,
  ],
  [
    'observeWithOpenTelemetry of no meter',
    () => loosely(observeWithOpenTelemetry)({}),
    /first argument must be a Meter/,
  ],
  [
    'observeWithOpenTelemetry without a source',
    () => loosely(observeWithOpenTelemetry)(meter),
    /expected an attachment or a ReleaseBatcher/,
  ],
  [
    'expectNoLeaks of a page that was not awaited',
    () => loosely(expectNoLeaks)(Promise.resolve({}), () => {}),
    /got a Promise; await it first/,
  ],
  [
    'expectNoLeaks with an option that there is not',
    () => loosely(expectNoLeaks)(puppeteerPage, () => {}, { allowed: 1 }),
    /no option 'allowed'.*allow/,
  ],
  ['expectNoLeaks without a body', () => loosely(expectNoLeaks)(puppeteerPage), /expected a function/],
  [
    'SingleFlightCache without a fetch',
    () => Reflect.construct(SingleFlightCache, []),
    /fetch must be a function/,
  ],
  [
    'SingleFlightCache with an option that there is not',
    () => Reflect.construct(SingleFlightCache, [() => 1, { timeout: 5 }]),
    /no option 'timeout'.*timeoutMs/,
  ],
  [
    'SingleFlightCache.get with one that is the whole cache’s',
    () => method(new SingleFlightCache(() => 1), 'get')({ deadlineMs: 5 }),
    /no option 'deadlineMs'.*signal/,
  ],
  ['LazySlot without a fetcher', () => Reflect.construct(LazySlot, []), /fetcher must be a function/],
  [
    'LazySlot with an option that there is not',
    () => Reflect.construct(LazySlot, [() => ({ value: 1, expiresInMs: 1 }), { retryMs: 5 }]),
    /no option 'retryMs'.*retryDelayMs/,
  ],
  [
    'guardInFlight without a slot',
    () => loosely(guardInFlight)(undefined, () => 1),
    /slot must be an object/,
  ],
  [
    'guardInFlight of a slot without release',
    () => loosely(guardInFlight)({}, () => 1),
    /slot.release must be a function/,
  ],
  [
    'guardInFlight of a promise rather than a function',
    () => loosely(guardInFlight)({ release: () => {} }, Promise.resolve(1)),
    /run must be a function, got an object/,
  ],
  [
    'FlightGroup.run without a lead',
    () => method(new FlightGroup(), 'run')('key'),
    /lead must be a function/,
  ],
  [
    'FlightGroup.run with an option that there is not',
    () => method(new FlightGroup(), 'run')('key', () => 1, { abort: 1 }),
    /no option 'abort'.*signal/,
  ],
  [
    'initWithLock without a lock',
    () =>
      loosely(initWithLock)(
        undefined,
        () => 1,
        () => 1,
      ),
    /lock must be an object/,
  ],
  [
    'initWithLock without a cache',
    () => loosely(initWithLock)(createInitLock()),
    /getCached must be a function/,
  ],
  [
    'initWithLock without an init',
    () => loosely(initWithLock)(createInitLock(), () => null),
    /init must be a function/,
  ],
  [
    'initWithLock with an option that there is not',
    () =>
      loosely(initWithLock)(
        createInitLock(),
        () => null,
        () => 1,
        { timeoutMs: 5 },
      ),
    /no option 'timeoutMs'.*maxWaitMs/,
  ],
  ['revokeClaim of nothing', () => loosely(revokeClaim)(), /lock must be an object/],
  [
    'ReleaseBatcher.guard without a session',
    () => method(batcher, 'guard')(undefined, '1.1.1'),
    /guard: expected a session with send/,
  ],
  [
    'ReleaseBatcher.guard of a RemoteObject',
    () => method(batcher, 'guard')(session(), { objectId: '1.1.1' }),
    /objectId must be a string, got an object/,
  ],
  [
    'ReleaseBatcher.guardStream of what a stream’s command answered',
    () => method(batcher, 'guardStream')(session(), { stream: '1' }),
    /handle must be a string, got an object/,
  ],
  ['ReleasePort.keyOf of a number', () => keyOf(5), /keyOf: session must be an object, got 5/],
  ['trackInWorker of a number', () => loosely(trackInWorker)(5), /object must be an object, got 5/],
  [
    'trackInWorker without a port',
    () => loosely(trackInWorker)({}, {}),
    /port must be what connectReleasePort gave/,
  ],
  [
    'trackInWorker of a session rather than its key',
    () => loosely(trackInWorker)({}, { releaseSurely: () => true }, session(), '1.1.1'),
    /sessionKey must be a number, got an object/,
  ],
  [
    'trackInWorker without an id',
    () => loosely(trackInWorker)({}, { releaseSurely: () => true }, 1),
    /objectId must be a non-empty string, got undefined/,
  ],
];

it.each(MISTAKES)('%s', async (_, call, says) => {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message).toMatch(says);
  expect(message.split('\n')).toHaveLength(1);
  expect(message).not.toMatch(/is not a function|Cannot read prop|of undefined/);
});

it('what `await import` gives of Puppeteer comes back attached by its default, too', async () => {
  const browser = {
    ...methods('browserContexts', 'newPage', 'target', 'on', 'off'),
    targets: () => [],
    connected: false,
  };
  const puppeteer = { launch: async () => browser, connect: async () => browser };
  const module = { ...puppeteer, default: puppeteer };
  const wrapped = withReleases(module);
  // A browser that is closed by now is one that nobody can attach to: that it says so shows that it was tried.
  await expect(wrapped.default.launch()).rejects.toThrow('this Browser is closed');
  await expect(wrapped.launch()).rejects.toThrow('this Browser is closed');
});

it.each([2 ** 31 - 1, 2 ** 31 - 3_000, 2 ** 31 - 18_000])(
  'a cache takes a timeout of %i ms',
  async (timeoutMs) => {
    const cache = new SingleFlightCache(() => 'value', { timeoutMs });
    expect(await Promise.all([cache.get(), cache.get()])).toEqual(['value', 'value']);
  },
);

it('a logger that throws does not come between a caller and the stale value', async () => {
  const fail = (): never => {
    throw new Error('of the logger');
  };
  let now = 0;
  let fetches = 0;
  const fetcher = async () => {
    if (fetches++ > 0) throw new Error('of the fetcher');
    return { value: 'stale', expiresInMs: 1 };
  };
  const slot = new LazySlot(fetcher, { logger: { warn: fail, error: fail }, now: () => now });
  for (let call = 0; call < 6; call++) {
    expect(await slot.get()).toBe('stale');
    now += 10_000;
  }
});

it('that a second attach has other options is said once for each of them', async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const same = session();
  using _ = attachSession(same, { track: true, maxBatchSize: 8 });
  for (let again = 0; again < 3; again++) attachSession(same, { track: true, maxBatchSize: 16 }).detach();
  await expect
    .poll(() => warnings)
    .toEqual([expect.stringMatching(/maxBatchSize: 16 is not heeded.*maxBatchSize: 8/)]);
  process.off('warning', onWarning);
});

/** Functions whose arguments nobody can get wrong in a way that could be told, or that tell it otherwise. */
const WITHOUT_A_ROW: Readonly<Record<string, string>> = {
  'ReleaseBatcher.release': 'never throws: it gives false, and counts the mistake as dropped',
  'ReleaseBatcher.releaseGroup': 'never throws: it gives false',
  'ReleaseBatcher.closeStream': 'never throws: it gives false, and counts the mistake as dropped',
  'WorkerReleasePort.release': 'never throws: it gives false',
  'ReleasePort.forget': 'a session without a key is forgotten already',
  ReleaseGuard: 'made by ReleaseBatcher alone',
  SharedRingQueue: 'made by ReleasePort and WorkerReleasePort alone',
  'SharedRingQueue.push': 'called by these alone',
  LeakError: 'made by expectNoLeaks alone',
  SingleFlightError: 'made by single-flight alone',
  releases: 'a plug-in without arguments of its own: what it is used with is checked by attach',
};

/** By the first word of a row's name: `scope` stands for the method of every class that has one. */
const rowFor = ({ name, method }: PublicFunction): boolean =>
  MISTAKES.some(([row]) => {
    const [first] = row.split(' ');
    return first === name || (method !== undefined && first === method);
  });

it('every public function that takes something has a row, or a reason for having none', async () => {
  const functions = await publicFunctions();
  const without = functions.filter((known) => !rowFor(known) && WITHOUT_A_ROW[known.name] === undefined);
  expect(without.map(({ name }) => name)).toEqual([]);
  const names = new Set(functions.map(({ name }) => name));
  expect(Object.keys(WITHOUT_A_ROW).filter((name) => !names.has(name))).toEqual([]);
});
