/**
 * What the comment on each public option says of its default and its unit is what the code does: an option that is left
 * out behaves as one that is given the value named, and not as one that is given another.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resolveFlushTimeout } from '../../src/batcher/flush.ts';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { attach as attachToRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import { lazyBrowser } from '../../src/clients/puppeteer/lazy-browser.ts';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { checkedDurations } from '../../src/single-flight/init-lock.ts';
import { LazySlot } from '../../src/single-flight/lazy-slot.ts';
import { SingleFlightCache } from '../../src/single-flight/single-flight-cache.ts';
import { openReleasePort } from '../../src/threads/release-port.ts';
import { connectReleasePort } from '../../src/threads/worker-release-port.ts';
import { documents } from '../support/documents.ts';
import { PACKAGE } from '../support/script.ts';
import { turns, until } from '../support/turns.ts';

type Options = Record<string, unknown>;
/** What of the behaviour shows an option's value. */
type Look = (options: Options, name: string) => unknown;

const resolved: Look = (options, name) =>
  (resolveAttachOptions(options) as unknown as Record<string, unknown>)[name];
const duration: Look = (options, name) => (checkedDurations(options) as Record<string, number>)[name];

/** Where each interface of options stands, and how its options that have a literal default are looked at. */
const INTERFACES: Readonly<Record<string, { readonly file: string; readonly looks: Record<string, Look> }>> =
  {
    BatcherOptions: {
      file: 'src/batcher/options.ts',
      looks: Object.fromEntries(
        ['maxBatchSize', 'maxInFlightBatches', 'releaseTimeoutMs', 'maxQueueSize'].map((option) => [
          option,
          (options: Options, name: string) =>
            (resolveBatcherOptions(options) as unknown as Record<string, unknown>)[name],
        ]),
      ),
    },
    FlushOptions: { file: 'src/batcher/flush.ts', looks: {} },
    AttachOptions: {
      file: 'src/handles/attach-options.ts',
      looks: { groups: resolved, moveSurvivors: resolved, consoleEntries: resolved, traceLeaks: resolved },
    },
    RemoteInterfaceOptions: {
      file: 'src/clients/chrome-remote-interface.ts',
      looks: { maxInFlightBatches: sentAtOnce },
    },
    SessionOptions: { file: 'src/clients/session.ts', looks: {} },
    LazyBrowserOptions: {
      file: 'src/clients/puppeteer/lazy-browser.ts',
      looks: { deadlineMs: deadlineOfLaunch },
    },
    InitLockOptions: {
      file: 'src/single-flight/init-lock.ts',
      looks: { deadlineMs: duration, pollMs: duration },
    },
    LazySlotOptions: { file: 'src/single-flight/lazy-slot.ts', looks: { retryDelayMs: staleFor } },
    SingleFlightCacheOptions: {
      file: 'src/single-flight/single-flight-cache.ts',
      looks: { timeoutMs: longestFetch },
    },
    ReleasePortOptions: {
      file: 'src/threads/release-port.ts',
      looks: {
        capacity: (options) => withPort(options, ({ handle }) => handle.ring.byteLength),
        whenFull: (options) => withPort(options, ({ handle }) => handle.whenFull),
        stallTimeoutMs: watchedEvery,
        turnBudgetMs: drainedInATurn,
      },
    },
    // What they are is shown by test/testing: that takes a page.
    ExpectNoLeaksOptions: { file: 'src/testing/expect-no-leaks.ts', looks: {} },
    CollectOptions: { file: 'src/observe/prometheus.ts', looks: {} },
  };

/** What is said of options whose default is no literal: it depends, or there is none. */
const SAID: Readonly<Record<string, RegExp>> = {
  'BatcherOptions.signal': /Default: none\./,
  'FlushOptions.timeoutMs': /Default: the batcher's `releaseTimeoutMs`\./,
  'AttachOptions.track': /Default: `true` for a client's own sessions, `false` for a session that you made/,
  'AttachOptions.pressure': /By default it starts at 65,536, and follows/,
  'RemoteInterfaceOptions.sessionId': /Default: the client with all its sessions/,
  'RemoteInterfaceOptions.targetType':
    /Default: the type that `Target.attachedToTarget` gave, or `'other'`\./,
  'SessionOptions.targetType': /Default `'other'`\./,
  'LazyBrowserOptions.discard': /By default a browser with a process of its own is closed/,
  'InitLockOptions.maxWaitMs': /Default `deadlineMs` \+ 15,000\./,
  'InitLockOptions.isCached': /By default there is when `getCached\(\)` returns neither null nor undefined/,
  'InitLockOptions.signal': /Ends the wait/,
  'InitLockOptions.within': /The call is then refused unless/,
  'InitLockOptions.anchor': /Called before the init begins/,
  'InitLockOptions.onWaited': /Told once/,
  'InitLockOptions.now': /Default `performance\.now`/,
  'InitLockOptions.sleep': /Default a `setTimeout`/,
  'LazySlotOptions.logger': /Without one they are silent/,
  'LazySlotOptions.now': /Default `performance\.now`/,
  'ExpectNoLeaksOptions.allow': /Default 0\./,
  'ExpectNoLeaksOptions.heldByOthers': /Default `false`\./,
  'CollectOptions.registry': /Default: that of `prom-client` itself/,
  'CollectOptions.labels': /Default: none\./,
};

interface Documented {
  readonly name: string;
  readonly comment: string;
}

async function optionsOf(interfaceName: string, file: string): Promise<Documented[]> {
  const source = await readFile(join(PACKAGE, file), 'utf8');
  const body = new RegExp(`^export interface ${interfaceName}\\b[\\s\\S]*?^\\}`, 'm').exec(source)?.[0] ?? '';
  const members = [...body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly (\w+)\?:/g)];
  return members
    .map(([, text = '', name = '']) => ({ name, comment: text.replace(/\s*\n\s*\* ?/g, ' ').trim() }))
    .filter(({ comment }) => !comment.includes('@internal'));
}

/** `Default 4,096.`, `Default 2: …`, "Default `spill`." */
function literalOf(comment: string): string | number | boolean | undefined {
  const [, number, word] = /Default (?:([\d,]*\d)|`'?(\w+)'?`)(?=[.:])/.exec(comment) ?? [];
  if (number !== undefined) return Number(number.replaceAll(',', ''));
  return word === 'true' || word === 'false' ? word === 'true' : word;
}

function anotherThan(value: string | number | boolean): unknown {
  if (typeof value === 'number') return value * 2;
  if (typeof value === 'boolean') return !value;
  return value === 'spill' ? 'refuse' : 'discard';
}

for (const [interfaceName, { file, looks }] of Object.entries(INTERFACES)) {
  const options = await optionsOf(interfaceName, file);

  describe(interfaceName, () => {
    it('has each option documented, with its unit', () => {
      expect(options.length).toBeGreaterThan(0);
      for (const { name, comment } of options) {
        expect(comment, name).toMatch(/\w{3}/);
        if (name.endsWith('Ms')) expect(comment, name).toContain('in milliseconds');
        const isSaid = SAID[`${interfaceName}.${name}`]?.test(comment) ?? false;
        expect(isSaid || name in looks, `${name}: ${comment}`).toBe(true);
      }
    });

    it.each(options.filter(({ name }) => name in looks))(
      'the default of $name',
      async ({ name, comment }) => {
        const look = looks[name] as Look;
        const value = literalOf(comment);
        if (value === undefined) throw new Error(`no default is told in "${comment}"`);
        const leftOut = await look({}, name);
        expect(await look({ [name]: value }, name)).toEqual(leftOut);
        expect(await look({ [name]: anotherThan(value) }, name)).not.toEqual(leftOut);
      },
    );
  });
}

it('the defaults that follow from others', async () => {
  expect(checkedDurations({}).maxWaitMs).toBe(checkedDurations({}).deadlineMs + 15_000);
  expect(checkedDurations({ deadlineMs: 20 }).maxWaitMs).toBe(15_020);
  expect(resolveFlushTimeout({}, 777)).toBe(777);
});

it('each table of options in the documents has the defaults that the comments have', async () => {
  const compared: string[] = [];
  for (const document of await documents()) {
    const source = await readFile(join(PACKAGE, document), 'utf8');
    for (const [table, of = ''] of source.matchAll(
      /^\| option(?: of `(\w+)`)? \| default .*\n(?:\|.*\n)+/gm,
    )) {
      const names = of === 'openReleasePort' ? ['ReleasePortOptions'] : interfacesOf(document);
      const known = (await Promise.all(names.map((name) => optionsOf(name, fileOf(name))))).flat();
      for (const [, name = '', shown = ''] of table.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)) {
        const comment = known.find((option) => option.name === name)?.comment;
        expect(comment, `${document}: ${name}`).toBeDefined();
        const value = literalOf(comment ?? '');
        if (value === undefined) continue;
        const [first = ''] = shown.split(';');
        expect(first.replace(/[`',]/g, ''), `${document}: ${name}`).toBe(String(value));
        compared.push(`${document} ${name}`);
      }
    }
  }
  expect(compared).toContain('docs/threads.md capacity');
  expect(compared).toContain('docs/clients.md deadlineMs');
  expect(compared).toContain('docs/options.md maxBatchSize');
});

function interfacesOf(document: string): string[] {
  return document === 'docs/options.md'
    ? ['BatcherOptions', 'AttachOptions']
    : ['LazyBrowserOptions', 'InitLockOptions'];
}

function fileOf(interfaceName: string): string {
  return INTERFACES[interfaceName]?.file ?? '';
}

/** Commands that chrome-remote-interface is given while it answers none. */
async function sentAtOnce(options: Options): Promise<number> {
  let sent = 0;
  const client = {
    send: () => {
      sent++;
      return new Promise(() => {});
    },
    on() {},
    emit() {},
    close() {},
  };
  const releases = attachToRemoteInterface(client, options);
  for (let number = 0; number < 1_000; number++) {
    void (client.send as (...args: unknown[]) => unknown)('Runtime.releaseObject', {
      objectId: `1.1.${number}`,
    });
  }
  await turns();
  const sentByThen = sent;
  releases.detach();
  return sentByThen;
}

async function deadlineOfLaunch(options: Options): Promise<number> {
  let deadline = Number.NaN;
  const getBrowser = lazyBrowser(({ deadlineMs }) => {
    deadline = deadlineMs;
    throw new Error('no browser');
  }, options);
  await expect(getBrowser()).rejects.toThrow('no browser');
  return deadline;
}

/** How long a stale value is served after a refresh that failed. */
async function staleFor(options: Options): Promise<number> {
  let now = 0;
  let fetches = 0;
  const slot = new LazySlot(
    async () => {
      if (fetches++ > 0) throw new Error('refused');
      return { value: 1, expiresInMs: 1 };
    },
    { ...options, now: () => now },
  );
  await slot.get();
  now = 1;
  await slot.get();
  for (; fetches === 2; now += 1_000) await slot.get();
  return now;
}

/** What a fetch is given until it fails: the first sleep of whoever runs it. */
async function longestFetch(options: Options): Promise<number> {
  const slept: number[] = [];
  const sleep = (ms: number): Promise<void> => {
    slept.push(ms);
    return new Promise(() => {});
  };
  const cache = new SingleFlightCache(() => 1, { ...options, sleep });
  await cache.get();
  return slept[0] ?? Number.NaN;
}

function withPort<T>(options: Options, look: (port: ReturnType<typeof openReleasePort>) => T): T {
  using port = openReleasePort({ release: () => true }, options);
  return look(port);
}

function watchedEvery(options: Options): unknown {
  const setInterval = vi.spyOn(globalThis, 'setInterval');
  onTestFinished(() => setInterval.mockRestore());
  const before = setInterval.mock.calls.length;
  return withPort(options, () => setInterval.mock.calls[before]?.[1]);
}

/** Releases handed over in the first turn, where each takes a thirty-second of a millisecond by a clock of the test's. */
async function drainedInATurn(options: Options): Promise<number> {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const perTurn: number[] = [];
  let isNewTurn = true;
  const release = (): boolean => {
    if (isNewTurn) {
      perTurn.push(0);
      isNewTurn = false;
      queueMicrotask(() => {
        isNewTurn = true;
      });
    }
    perTurn.push((perTurn.pop() ?? 0) + 1);
    now += 1 / 32;
    return true;
  };
  using port = openReleasePort({ release }, options);
  const worker = connectReleasePort(port.handle);
  for (let number = 0; number < 1_000; number++) worker.release(port.keyOf({}), `1.1.${number}`);
  await until(() => perTurn.length > 1);
  clock.mockRestore();
  return perTurn[0] ?? Number.NaN;
}
