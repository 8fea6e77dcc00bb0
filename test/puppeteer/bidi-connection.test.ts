// The races and odd turns of WebDriver BiDi, against a connection that answers what, when and how the test likes.
import { setImmediate as macrotask } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { BidiConnectionLike } from '../../src/clients/puppeteer/bidi/structure.ts';
import { type AttachOptions, attach, type PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import type { BrowserLike } from '../../src/clients/puppeteer/structure.ts';
import { attach as attachToSession } from '../../src/clients/session.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';

interface Sent {
  readonly method: string;
  readonly params: Params;
  answer(result?: unknown): void;
  refuse(reason: Error): void;
}
type Params = Record<string, unknown>;

class Connection implements BidiConnectionLike {
  readonly sent: Sent[] = [];
  readonly emitted: string[] = [];
  closed = false;
  /** Whether disowns are answered as they come. */
  answersDisowns = true;
  /** What the next send does. */
  instead: (() => unknown) | undefined = undefined;

  send(method: string, params?: unknown): Promise<unknown> {
    const { instead } = this;
    this.instead = undefined;
    if (instead !== undefined) return instead() as Promise<unknown>;
    return new Promise((resolve, reject) => {
      const answer = (result: unknown = {}): void => resolve({ type: 'success', result });
      this.sent.push({ method, params: params as Params, answer, refuse: reject });
      if (method === 'script.disown' && this.answersDisowns) answer();
    });
  }

  emit(event: string): unknown {
    this.emitted.push(event);
    return true;
  }

  /** What was disowned: by realm, the handles of each command. */
  get disowned(): unknown[] {
    return this.sent
      .filter(({ method }) => method === 'script.disown')
      .map(({ params }) => [(params.target as Params).realm ?? 'as asked', params.handles]);
  }

  last(method: string): Sent {
    const found = this.sent.findLast((sent) => sent.method === method);
    if (found === undefined) throw new Error(`no ${method} was sent`);
    return found;
  }
}

const MAIN = { context: 'tab' };

/** @param of what is attached to: the browser, unless a page of it is made. */
function open(options: AttachOptions = {}, of: (browser: object) => object = (browser) => browser) {
  const connection = new Connection();
  const listeners = new Map<string, () => void>();
  const browser = browserOf(connection, listeners);
  const releases = attach(of(browser) as unknown as BrowserLike, options);
  onTestFinished(async () => {
    await releases.flush({ timeoutMs: 1_000 });
    expectAtRest(releases.stats());
    releases.detach();
    expect(Object.keys(connection)).toEqual(Object.keys(new Connection()));
    expect(listeners.size).toBe(0);
  });
  return { connection, releases, listeners };
}

function browserOf(connection: Connection, listeners: Map<string, () => void>): object {
  return {
    protocol: 'webDriverBiDi',
    connection,
    connected: true,
    browserContexts: () => [],
    targets: () => [],
    target: () => ({}),
    newPage: () => Promise.resolve({}),
    on: (event: string, listener: () => void) => void listeners.set(event, listener),
    off: (event: string) => void listeners.delete(event),
  };
}

/** A page with one frame, in the tab `tab`. */
const pageOf = (browser: object): object => {
  const context = { browser: () => browser, pages: () => [], newPage: () => {} };
  return {
    frames: () => [{ _id: 'tab' }],
    browser: () => browser,
    browserContext: () => context,
    createCDPSession: () => {},
    isClosed: () => false,
  };
};

/** An evaluation whose result owns a handle. */
async function mint(connection: Connection, handle: string, realm = 'realm-1', target: Params = MAIN) {
  const params = { expression: '({})', target, resultOwnership: 'root' };
  const answer = connection.send('script.evaluate', params) as Promise<{ result: { result: object } }>;
  connection.last('script.evaluate').answer({ type: 'success', realm, result: { type: 'object', handle } });
  return (await answer).result.result;
}

const disown = (connection: Connection, ...handles: string[]): Promise<unknown> =>
  connection.send('script.disown', { target: MAIN, handles });

const flushed = async (releases: PuppeteerAttachment): Promise<void> => {
  expect(await releases.flush()).toMatchObject({ complete: true });
};

test('disowns in the realm that minted, whatever the tab is by then', async () => {
  const { connection, releases } = open();
  await mint(connection, 'one', 'realm-1');
  await mint(connection, 'two', 'realm-2');
  await disown(connection, 'one', 'two');
  await flushed(releases);
  expect(connection.disowned).toEqual(
    expect.arrayContaining([
      ['realm-1', ['one']],
      ['realm-2', ['two']],
    ]),
  );
});

test.each([
  ['an argument', 'script.callFunction', { target: MAIN, arguments: [{ handle: 'one' }] }],
  ['this', 'script.callFunction', { target: MAIN, this: { handle: 'one' } }],
  [
    'an argument within one',
    'script.callFunction',
    { arguments: [{ type: 'array', value: [{ handle: 'one' }] }] },
  ],
  ['an element', 'input.setFiles', { context: 'tab', element: { sharedId: 's', handle: 'one' }, files: [] }],
  ['what CDP is asked', 'goog:cdp.sendCommand', { method: 'DOM.describeNode', params: { objectId: 'one' } }],
])(
  'does not disown a handle while a command that names it as %s is unanswered',
  async (_, method, params) => {
    const { connection, releases } = open();
    await mint(connection, 'one');
    const command = connection.send(method, params);
    await mint(connection, 'two');
    await disown(connection, 'one', 'two');
    for (let turn = 0; turn < 10; turn++) await macrotask();
    expect(connection.disowned).toEqual([['realm-1', ['two']]]);
    expect(releases.stats()).toMatchObject({ queued: 1 });
    connection.last(method).answer();
    await command;
    await flushed(releases);
    expect(connection.disowned).toEqual([
      ['realm-1', ['two']],
      ['realm-1', ['one']],
    ]);
  },
);

test('takes a release back from the queue that a command names before it is sent', async () => {
  const { connection, releases } = open();
  await mint(connection, 'one');
  await disown(connection, 'one');
  const params = { target: MAIN, arguments: [{ handle: 'one' }] };
  const command = connection.send('script.callFunction', params); // In the same turn as the disown.
  for (let turn = 0; turn < 10; turn++) await macrotask();
  expect(connection.disowned).toEqual([]);
  connection.last('script.callFunction').refuse(new Error('unanswerable'));
  await expect(command).rejects.toThrow('unanswerable');
  await flushed(releases);
  expect(connection.disowned).toEqual([['realm-1', ['one']]]);
});

test('sends what follows upon an action as it is, and awaits the answer', async () => {
  const { connection, releases } = open();
  connection.answersDisowns = false;
  await mint(connection, 'one');
  void connection.send('input.performActions', { context: 'tab' });
  let isAnswered = false;
  const answer = disown(connection, 'one', 'from before').then(() => {
    isAnswered = true;
  });
  expect(connection.disowned).toEqual([['as asked', ['one', 'from before']]]);
  for (let turn = 0; turn < 10; turn++) await macrotask();
  expect(isAnswered).toBe(false);
  expectConserved(releases.stats());
  expect(releases.stats()).toMatchObject({ inFlight: 2 });
  expect(await releases.flush({ timeoutMs: 5 })).toMatchObject({ complete: false });
  connection.last('script.disown').answer();
  await answer;
  expect(releases.stats()).toMatchObject({ released: 2, inFlight: 0 });
  connection.last('input.performActions').answer();
});

test('keeps what is named even so', async () => {
  const { connection, releases } = open();
  await mint(connection, 'one');
  void connection.send('script.callFunction', { target: MAIN, arguments: [{ handle: 'one' }] });
  void connection.send('input.performActions', { context: 'tab' });
  await disown(connection, 'one');
  expect(connection.disowned).toEqual([]);
  connection.last('script.callFunction').answer();
  await flushed(releases);
  expect(connection.disowned).toEqual([['realm-1', ['one']]]);
});

test('lets a realm that does not answer harm only itself', async () => {
  const { connection, releases } = open({ releaseTimeoutMs: 30_000 });
  connection.answersDisowns = false;
  const hung = Array.from({ length: 2_000 }, (_, index) => `hung-${index}`);
  for (const handle of hung) await mint(connection, handle, 'hung', { context: 'hung' });
  await connection.send('script.disown', { target: { context: 'hung' }, handles: hung });
  for (let turn = 0; turn < 20; turn++) await macrotask();
  expect(connection.disowned, 'its window, and no more').toHaveLength(8);
  connection.answersDisowns = true;
  await mint(connection, 'other', 'realm-1');
  await disown(connection, 'other');
  await expect.poll(() => releases.stats().released).toBe(1);
  for (const { method, answer } of connection.sent) if (method === 'script.disown') answer();
  await flushed(releases);
});

test('sends nothing for what went with its realm, nor for what went with its tab', async () => {
  const { connection, releases } = open();
  const realms = ['realm-1', 'realm-2', 'realm-3', 'realm-4'];
  for (const realm of realms) await mint(connection, `of ${realm}`, realm, { context: `tab of ${realm}` });
  const emit = (event: string, params: unknown) => (connection as BidiConnectionLike).emit(event, params);
  emit('script.realmDestroyed', { realm: 'realm-1' });
  emit('browsingContext.contextDestroyed', {
    context: 'tab of realm-2',
    children: [{ context: 'tab of realm-3', children: null }],
  });
  expect(connection.emitted).toEqual(['script.realmDestroyed', 'browsingContext.contextDestroyed']);
  await expect.poll(() => releases.stats()).toMatchObject({ elided: 3, live: 1, commands: 0 });
});

test('of a page alone, covers its workers and theirs, and no worker that is nobody’s', async () => {
  const { connection, releases } = open({}, pageOf);
  const create = (realm: string, of: Params): unknown =>
    (connection as BidiConnectionLike).emit('script.realmCreated', { realm, ...of });
  create('page', { context: 'tab' });
  create('worker', { type: 'dedicated-worker', owners: ['page'] });
  create('nested', { type: 'dedicated-worker', owners: ['worker'] });
  create('other page', { context: 'other tab' });
  create('worker of another', { type: 'dedicated-worker', owners: ['other page'] });
  create('service worker', { type: 'service-worker' });
  create('owned by none', { type: 'shared-worker', owners: [] });
  create('owned by itself', { type: 'dedicated-worker', owners: ['owned by itself'] });

  for (const realm of ['page', 'worker', 'nested']) await mint(connection, `of ${realm}`, realm, { realm });
  expect(releases.stats()).toMatchObject({ minted: 3 });
  const foreign = [
    'worker of another',
    'service worker',
    'owned by none',
    'owned by itself',
    'never told of',
  ];
  for (const realm of foreign) await mint(connection, `of ${realm}`, realm, { realm });
  await mint(connection, 'of other page', 'other page', { context: 'other tab' });
  for (const realm of foreign) {
    const source = { realm };
    (connection as BidiConnectionLike).emit('script.message', { data: { handle: 'sent' }, source });
  }
  expect(releases.stats()).toMatchObject({ minted: 3 });

  const params = { target: { realm: 'service worker' }, handles: ['of service worker'] };
  await connection.send('script.disown', params);
  expect(connection.last('script.disown').params, 'what is not covered passes as it is').toBe(params);
  await connection.send('script.disown', { target: { realm: 'nested' }, handles: ['of nested'] });
  await flushed(releases);
  expect(connection.disowned).toEqual([
    ['service worker', ['of service worker']],
    ['nested', ['of nested']],
  ]);
});

test('takes a realm that the browser no longer knows for gone, with all that it held', async () => {
  const { connection, releases } = open();
  connection.answersDisowns = false;
  for (const handle of ['one', 'two']) await mint(connection, handle);
  await disown(connection, 'one');
  await expect.poll(() => connection.disowned).toHaveLength(1);
  connection.last('script.disown').refuse(new Error('no such frame Realm with id realm-1 not found'));
  await expect.poll(() => releases.stats()).toMatchObject({ gone: 1, elided: 1, live: 0, commands: 1 });
  connection.answersDisowns = true;
  await mint(connection, 'three'); // It was there after all.
  expect(releases.stats()).toMatchObject({ live: 1 });
  await disown(connection, 'three');
  await flushed(releases);
  expect(releases.stats()).toMatchObject({ released: 1 });
});

test('ends all when the browser has gone', async () => {
  const { connection, releases, listeners } = open();
  await mint(connection, 'one');
  listeners.get('disconnected')?.();
  await expect.poll(() => releases.stats()).toMatchObject({ elided: 1, live: 0 });
});

test('disowns what was found collected, and an error thrown', async () => {
  const { connection, releases } = open();
  await (async () => {
    await mint(connection, 'one');
    const params = { expression: 'throw {}', target: MAIN, resultOwnership: 'root' };
    const answer = connection.send('script.evaluate', params);
    const exception = { type: 'object', handle: 'thrown' };
    const result = { type: 'exception', realm: 'realm-1', exceptionDetails: { exception } };
    connection.last('script.evaluate').answer(result);
    await answer;
    (connection as BidiConnectionLike).emit('script.message', {
      data: { type: 'array', handle: 'sent' },
      source: { realm: 'realm-1', context: 'tab' },
    });
  })();
  connection.sent.length = 0;
  await collectUntil(() => releases.stats().collected === 3);
  await flushed(releases);
  expect(connection.disowned.flatMap((command) => (command as [string, string[]])[1]).toSorted()).toEqual([
    'one',
    'sent',
    'thrown',
  ]);
});

test('watches nothing where it is not to track, and batches what is disowned all the same', async () => {
  const { connection, releases } = open({ track: false });
  for (const handle of ['one', 'two']) await mint(connection, handle);
  expect(releases.stats()).toMatchObject({ minted: 0 });
  void disown(connection, 'one');
  void disown(connection, 'two');
  await flushed(releases);
  expect(connection.disowned).toEqual([['as asked', ['one', 'two']]]);
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a result of no form', { type: 'success', realm: 7, result: null }],
  ['a handle that is none', { type: 'success', realm: 'realm-1', result: { handle: 7 } }],
  ['an exception without one', { type: 'exception', realm: 'realm-1', exceptionDetails: null }],
])('passes on an answer of %s', async (_, result) => {
  const { connection, releases } = open();
  const params = { expression: '1', target: MAIN, resultOwnership: 'root' };
  const answer = connection.send('script.evaluate', params);
  connection.last('script.evaluate').answer(result);
  expect(await answer).toEqual({ type: 'success', result: result === undefined ? {} : result });
  expect(releases.stats()).toMatchObject({ minted: 0 });
});

test('passes on a disown and an event of no form, and parameters that refer to themselves', async () => {
  const { connection } = open();
  for (const params of [undefined, {}, { target: MAIN }, { target: MAIN, handles: [7] }]) {
    await connection.send('script.disown', params);
    expect(connection.last('script.disown').params).toBe(params);
  }
  for (const event of ['script.message', 'script.realmCreated', 'browsingContext.contextDestroyed']) {
    for (const params of [undefined, null, 7, { source: 7 }]) {
      (connection as BidiConnectionLike).emit(event, params);
    }
  }
  const cyclic: Params = {};
  cyclic.self = { arguments: [cyclic] };
  void connection.send('script.callFunction', cyclic);
  expect(connection.last('script.callFunction').params).toBe(cyclic);
});

test('leaves alone what another has put on the connection meanwhile', async () => {
  const connection = new Connection();
  const browser = { protocol: 'webDriverBiDi', connection };
  const rest = { browserContexts: [], targets: [], target: {}, newPage: {}, on: {}, off: {} };
  for (const [name, value] of Object.entries(rest)) Object.assign(browser, { [name]: () => value });
  const releases = attach(browser as unknown as BrowserLike);
  const ours = connection.send;
  connection.send = function (...args) {
    return ours.apply(this, args);
  };
  const theirs = connection.send;
  releases.detach();
  expect(connection.send).toBe(theirs);
  await disown(connection, 'one');
  expect(connection.disowned).toEqual([['as asked', ['one']]]);
});

test('a command that throws, or promises nothing, holds no handle that it names', async () => {
  const { connection, releases } = open();
  await mint(connection, 'one');
  const call = (): unknown =>
    connection.send('script.callFunction', { target: MAIN, arguments: [{ handle: 'one' }] });
  connection.instead = () => {
    throw new Error('at once');
  };
  expect(call).toThrow('at once');
  connection.instead = () => undefined;
  expect(call()).toBeUndefined();
  await disown(connection, 'one');
  await flushed(releases);
  expect(connection.disowned).toEqual([['realm-1', ['one']]]);
});

test('what measures memory first sees disowned what was dropped', async () => {
  const { connection } = open();
  await mint(connection, 'one');
  void disown(connection, 'one');
  void connection.send('goog:cdp.sendCommand', { method: 'HeapProfiler.collectGarbage', params: {} });
  expect(connection.sent.map(({ method }) => method)).toEqual([
    'script.evaluate',
    'script.disown',
    'goog:cdp.sendCommand',
  ]);
});

test('a disown behind an action is refused as the browser refuses it, and counted', async () => {
  const { connection, releases } = open();
  await mint(connection, 'one');
  void connection.send('input.performActions', { context: 'tab', actions: [] });
  connection.answersDisowns = false;
  const disowned = disown(connection, 'one');
  connection.last('script.disown').refuse(new Error('no such thing'));
  await expect(disowned).rejects.toThrow('no such thing');
  expect(releases.stats()).toMatchObject({ failed: 1, inFlight: 0, live: 0 });
});

test('what is no handle does not escape', () => {
  expect(() => open().releases.escape({} as never)).toThrow('escape: expected a handle or a RemoteObject');
});

test('a loop of disposals lets the event loop turn', async () => {
  const { connection, releases } = open();
  const handles = Array.from({ length: 600 }, (_, index) => `handle ${index}`);
  for (const handle of handles) await mint(connection, handle);
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  for (const handle of handles) await disown(connection, handle);
  expect(hasTurned).toBe(true);
  await flushed(releases);
});

test('a connection that another entry point is attached to comes to who waits for it last', async () => {
  const connection = Object.assign(new Connection(), { on() {}, off() {} });
  const first = attachToSession(connection as never, { track: false });
  const wait = () => attach(browserOf(connection, new Map()) as unknown as BrowserLike);
  wait().detach(); // It has given up before.
  const second = wait();
  await mint(connection, 'one');
  expect(second.stats().minted).toBe(0);
  first.detach();
  await mint(connection, 'two');
  expect(second.stats().minted).toBe(1);
  await disown(connection, 'two');
  await flushed(second);
  second.detach();
});
