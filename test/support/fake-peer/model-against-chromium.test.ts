/**
 * The fake peer is worth no more than its likeness. Each conversation below is held word for word with a
 * real Chromium and with the model, and the two transcripts must be the same: ids, groups, what is
 * inherited, and every refusal.
 */
import type { Browser, WebWorker } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { FakePeer } from '../fake-peer.ts';

type Params = Record<string, unknown>;

/** Sends, and gives the result for the next step to use; each exchange goes into the transcript. */
type Say = (method: string, params?: Params) => Promise<Answer>;

interface RemoteObject {
  readonly objectId: string;
}

/** Every member is there where the step before asked for it; a conversation that is wrong here fails in both. */
interface Answer {
  readonly result: RemoteObject;
  readonly exceptionDetails: { readonly exception: RemoteObject };
}

interface Session {
  send(method: string, params?: Params): Promise<unknown>;
  on(event: string, listener: (params: Params) => void): unknown;
}

/** A target, and a session to it. */
interface Stage {
  readonly session: Session;
  navigate(): Promise<unknown>;
}

/** What a conversation can do besides speaking. */
interface Conversation extends Pick<Stage, 'navigate'> {
  readonly say: Say;
  /** Resolves once that event has come. */
  readonly heard: (event: string) => Promise<void>;
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});

async function realPage(): Promise<Stage> {
  const page = await browser.newPage();
  const session = (await page.createCDPSession()) as unknown as Session;
  return { session, navigate: () => page.goto('data:text/html,<p>next') };
}

async function realWorker(): Promise<Stage> {
  const page = await browser.newPage();
  const created = new Promise<WebWorker>((resolve) => page.once('workercreated', resolve));
  await page.evaluate("void new Worker('data:text/javascript,')");
  const { client } = await created;
  return { session: client as unknown as Session, navigate: () => page.goto('data:text/html,<p>next') };
}

async function model(kind: 'page' | 'worker'): Promise<Stage> {
  const peer = new FakePeer();
  const target = peer.openTarget(kind);
  return { session: peer.attach(target) as unknown as Session, navigate: async () => target.navigate() };
}

const CONVERSATIONS: Readonly<Record<string, (conversation: Conversation) => Promise<void>>> = {
  'kinds of values': async ({ say }) => {
    for (const expression of [
      ...['1', '-0', 'NaN', '10n', '"text"', 'undefined', 'null', 'true'],
      ...[
        '({})',
        '[1]',
        '() => 1',
        'Symbol("s")',
        'new Map',
        'new Set',
        '/x/',
        'new Date(0)',
        'new Error("e")',
      ],
      ...['Promise.resolve()', 'new Proxy({}, {})', 'new (class Foo {})', 'Object.create(null)'],
    ]) {
      await say('Runtime.evaluate', { expression });
    }
  },

  'a fresh id per wrap': async ({ say }) => {
    await say('Runtime.evaluate', { expression: 'globalThis.object = {}' });
    await say('Runtime.evaluate', { expression: 'object' });
    await say('Runtime.evaluate', { expression: 'object', returnByValue: true });
    await say('Runtime.evaluate', { expression: 'object' });
  },

  'release, and what is said to a second one': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    await say('Runtime.releaseObject', { objectId: result.objectId });
    await say('Runtime.releaseObject', { objectId: result.objectId });
    await say('Runtime.getProperties', { objectId: result.objectId });
    await say('Runtime.callFunctionOn', { objectId: result.objectId, functionDeclaration: '() => 1' });
    await say('Runtime.awaitPromise', { promiseObjectId: result.objectId });
  },

  'ids that are none': async ({ say }) => {
    for (const objectId of ['zzz', '', '1.2', '1.2.3.4', '{"injectedScriptId":1,"id":1}', '-1.1.1']) {
      await say('Runtime.releaseObject', { objectId });
    }
    await say('Runtime.releaseObject', {});
    await say('Runtime.releaseObject', { objectId: 5 });
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    const [isolate, context] = result.objectId.split('.');
    await say('Runtime.releaseObject', { objectId: `1.${context}.1` });
    await say('Runtime.releaseObject', { objectId: `${isolate}.99.1` });
    await say('Runtime.releaseObject', { objectId: `${isolate}.${context}.99` });
    await say('Runtime.nonsense', {});
  },

  'a group goes at once, an unknown one too': async ({ say }) => {
    const { result: first } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'group' });
    const { result: other } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'other' });
    const { result: none } = await say('Runtime.evaluate', { expression: '({})' });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'unknown' });
    await say('Runtime.releaseObjectGroup', { objectGroup: '' });
    await say('Runtime.releaseObjectGroup', {});
    for (const { objectId } of [first, other, none]) await say('Runtime.releaseObject', { objectId });
  },

  'what a result without a group inherits': async ({ say }) => {
    const expression = '({ child: {}, get accessor() { return 1 }, [Symbol("key")]: 1 })';
    const { result } = await say('Runtime.evaluate', { expression, objectGroup: 'group' });
    const { objectId } = result;
    await say('Runtime.getProperties', { objectId, ownProperties: true });
    const child = 'function () { return this.child }';
    const { result: inherits } = await say('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: child,
    });
    const { result: joins } = await say('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: child,
      objectGroup: 'other',
    });
    const { result: leaves } = await say('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: child,
      objectGroup: '',
    });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    for (const object of [result, inherits, joins, leaves]) {
      await say('Runtime.getProperties', { objectId: object.objectId, ownProperties: true });
    }
    const property = objectId.replace(/\d+$/, '2');
    await say('Runtime.releaseObject', { objectId: property });
  },

  'a promise hands its group on': async ({ say }) => {
    const { result: promise } = await say('Runtime.evaluate', {
      expression: 'Promise.resolve({})',
      objectGroup: 'group',
    });
    const { result: value } = await say('Runtime.awaitPromise', { promiseObjectId: promise.objectId });
    await say('Runtime.awaitPromise', { promiseObjectId: value.objectId });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    await say('Runtime.releaseObject', { objectId: value.objectId });
  },

  'a throw mints twice, into the group of its call': async ({ say }) => {
    for (const expression of ['throw {}', 'throw new Error("e")', 'throw 5', 'no javascript at all']) {
      await say('Runtime.evaluate', { expression });
      await say('Runtime.evaluate', { expression, returnByValue: true });
    }
    const thrown = await say('Runtime.evaluate', { expression: 'throw {}', objectGroup: 'group' });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    for (const { objectId } of [thrown.result, thrown.exceptionDetails.exception]) {
      await say('Runtime.releaseObject', { objectId });
    }
  },

  'a throw on an object joins the group of that object': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'group' });
    const functionDeclaration = 'function () { throw this }';
    const thrown = await say('Runtime.callFunctionOn', { objectId: result.objectId, functionDeclaration });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    for (const { objectId } of [thrown.result, thrown.exceptionDetails.exception]) {
      await say('Runtime.releaseObject', { objectId });
    }
  },

  'a rejection mints once by value, else twice': async ({ say }) => {
    const rejecting = { expression: 'Promise.reject({ a: 1 })', awaitPromise: true };
    await say('Runtime.evaluate', rejecting);
    await say('Runtime.evaluate', { ...rejecting, returnByValue: true });
    await say('Runtime.evaluate', { expression: '({})', awaitPromise: true });
  },

  'arguments of a call': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    const { objectId } = result;
    const returnArguments = { functionDeclaration: 'function (...all) { return all.map(String).join() }' };
    const call = { objectId, ...returnArguments };
    await say('Runtime.callFunctionOn', {
      ...call,
      arguments: [{ objectId }, { value: [1] }, { unserializableValue: '-Infinity' }, {}],
    });
    const [isolate, context] = objectId.split('.');
    for (const argument of [`${isolate}.${context}.99`, `${isolate}.99.1`, `1.${context}.1`, 'zzz']) {
      await say('Runtime.callFunctionOn', { ...call, arguments: [{ objectId: argument }] });
    }
    await say('Runtime.callFunctionOn', returnArguments);
    await say('Runtime.callFunctionOn', { ...returnArguments, executionContextId: 9999 });
    await say('Runtime.evaluate', { expression: '1', contextId: 9999 });
    await say('Runtime.callFunctionOn', { objectId, functionDeclaration: '5' });
    await say('Runtime.callFunctionOn', { objectId, functionDeclaration: 'function (' });
  },

  'survivors move to another group': async ({ say }) => {
    const inOld = { objectGroup: 'old' };
    const { result: first } = await say('Runtime.evaluate', { expression: '({ a: 1 })', ...inOld });
    const { result: second } = await say('Runtime.evaluate', { expression: '({ b: 1 })', ...inOld });
    const { result: array } = await say('Runtime.callFunctionOn', {
      objectId: first.objectId,
      functionDeclaration: 'function (...survivors) { return survivors }',
      arguments: [first, second].map(({ objectId }) => ({ objectId })),
      objectGroup: 'new',
    });
    await say('Runtime.getProperties', { objectId: array.objectId, ownProperties: true });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'old' });
    const moved = array.objectId.replace(/\d+$/, (number) => String(Number(number) + 1));
    await say('Runtime.getProperties', { objectId: moved, ownProperties: true });
    await say('Runtime.releaseObject', { objectId: first.objectId });
  },

  'console arguments and uncaught errors share a group, emptied with the console': async ({ say }) => {
    await say('Runtime.enable');
    const { result: kept } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'console' });
    await say('Runtime.evaluate', { expression: 'console.log({}, "text", {}); console.log()' });
    const { result: logged } = await say('Runtime.evaluate', { expression: '({})' });
    const argument = logged.objectId.replace(/\d+$/, (number) => String(Number(number) - 1));
    const functionDeclaration = 'function () { return {} }';
    const inherits = await say('Runtime.callFunctionOn', { objectId: argument, functionDeclaration });
    await say('Runtime.discardConsoleEntries');
    for (const objectId of [kept.objectId, argument, inherits.result.objectId, logged.objectId]) {
      await say('Runtime.releaseObject', { objectId });
    }
    const { result: again } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'console' });
    await say('Runtime.evaluate', { expression: 'console.clear()' });
    await say('Runtime.releaseObject', { objectId: again.objectId });
  },

  'an uncaught error mints into the group of the console': async ({ say, heard }) => {
    await say('Runtime.enable');
    const thrown = heard('Runtime.exceptionThrown');
    const { result } = await say('Runtime.evaluate', { expression: 'setTimeout(() => { throw {} }); ({})' });
    await thrown;
    const exception = result.objectId.replace(/\d+$/, '2');
    await say('Runtime.releaseObjectGroup', { objectGroup: 'console' });
    await say('Runtime.releaseObject', { objectId: exception });
    await say('Runtime.releaseObject', { objectId: result.objectId });
  },

  'a document takes its objects along': async ({ say, navigate }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'group' });
    const pending = say('Runtime.evaluate', { expression: 'new Promise(() => {})', awaitPromise: true });
    await say('Runtime.evaluate', { expression: '"the promise is being awaited by now"' });
    await navigate();
    await pending;
    await say('Runtime.releaseObject', { objectId: result.objectId });
    await say('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    await say('Runtime.evaluate', { expression: '({})' });
  },

  'a page takes a release in its turn': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    const { objectId } = result;
    await Promise.all([
      say('Runtime.callFunctionOn', { objectId, functionDeclaration: '() => 1' }),
      say('Runtime.releaseObject', { objectId }),
    ]);
  },

  'the console is told again to whoever enables late; ids outlive a disable': async ({ say }) => {
    await say('Runtime.evaluate', { expression: 'console.log({})' });
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    await say('Runtime.enable');
    await say('Runtime.disable');
    await say('Runtime.releaseObject', { objectId: result.objectId });
    await say('Runtime.enable');
    await say('Runtime.evaluate', { expression: '({})' });
  },
};

// Where the worker is idle, which of two commands wins is a matter of luck; busy, it is certain.
const BUSY = { expression: 'for (const end = Date.now() + 500; Date.now() < end; ); 0' };

const ON_A_WORKER: Readonly<Record<string, (conversation: Conversation) => Promise<void>>> = {
  'a release overtakes the commands before it': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})' });
    const { objectId } = result;
    await Promise.all([
      say('Runtime.evaluate', BUSY),
      say('Runtime.callFunctionOn', { objectId, functionDeclaration: '() => 1' }),
      say('Runtime.releaseObject', { objectId }),
    ]);
  },

  'so does that of a group': async ({ say }) => {
    const { result } = await say('Runtime.evaluate', { expression: '({})', objectGroup: 'group' });
    const { objectId } = result;
    await Promise.all([
      say('Runtime.evaluate', BUSY),
      say('Runtime.callFunctionOn', { objectId, functionDeclaration: '() => 1' }),
      say('Runtime.releaseObjectGroup', { objectGroup: 'group' }),
    ]);
  },
};

describe('in a page', () => {
  it.each(Object.entries(CONVERSATIONS))('%s', async (_title, conversation) => {
    expect(await transcriptOf(conversation, await model('page'))).toEqual(
      await transcriptOf(conversation, await realPage()),
    );
  });
});

describe('in a worker', () => {
  it.each(Object.entries(ON_A_WORKER))('%s', async (_title, conversation) => {
    expect(await transcriptOf(conversation, await model('worker'))).toEqual(
      await transcriptOf(conversation, await realWorker()),
    );
  });
});

async function transcriptOf(
  conversation: (conversation: Conversation) => Promise<void>,
  { session, navigate }: Stage,
): Promise<string[]> {
  const transcript: string[] = [];
  const note = (line: string, what: unknown): void => void transcript.push(`${line} ${essence(what)}`);
  for (const event of ['Runtime.consoleAPICalled', 'Runtime.exceptionThrown']) {
    session.on(event, (params) => note(`<- ${event}`, params.args ?? params.exceptionDetails));
  }
  const say: Say = async (method, params) => {
    note(`-> ${method}`, params);
    try {
      const answer = await session.send(method, params);
      note(`<- ${method}`, answer);
      return answer as Answer;
    } catch (error) {
      note(`<- ${method}`, (error as Error).message);
      return { result: { objectId: 'none' }, exceptionDetails: { exception: { objectId: 'none' } } };
    }
  };
  const heard = (event: string): Promise<void> =>
    new Promise((resolve) => session.on(event, () => resolve()));
  await conversation({ say, heard, navigate });
  return transcript;
}

/** What a message says of remote objects, with ids as context and number; not stacks, previews and descriptions. */
function essence(message: unknown): string {
  const INCIDENTAL = /^(description|preview|stackTrace|scriptId|lineNumber|columnNumber|exceptionId)$/;
  return (
    JSON.stringify(message, (key, value) => {
      if (INCIDENTAL.test(key) && key !== '') return undefined;
      return typeof value === 'string' ? withoutIncidentals(value) : value;
    }) ?? ''
  );
}

function withoutIncidentals(text: string): string {
  return text
    .replace(/^-?\d{10,}\.\d+\.(\d+)$/, 'isolate.context.$1')
    .replace(/^-?\d{10,}\.99\.(\d+)$/, 'isolate.99.$1')
    .replace(/^1\.\d+\.1$/, '1.context.1')
    .replace(/ at position \d+$/, '');
}
