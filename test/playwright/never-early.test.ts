// Nothing that a script can still name is taken away, at whatever message the garbage collector comes.
import { join } from 'node:path';
import type { Browser, ConsoleMessage, JSHandle, Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { attach, type PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import type {
  ChannelOwner,
  ClientConnection,
  ServerMessage,
} from '../../src/clients/playwright/structure.ts';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { launchByPlaywright, openAttached, playwrightLaunchOptions } from '../support/playwright.ts';
import { runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { turns } from '../support/turns.ts';

const COLLECTING = join(import.meta.dirname, 'collecting.mjs');

let browser: Browser;
let page: Page;
let releases: PlaywrightAttachment;
beforeAll(async () => {
  browser = await launchByPlaywright();
});
beforeEach(async () => {
  ({ page, releases } = await openAttached(browser));
});

const make = (owner: Page, value: number): Promise<JSHandle<{ value: number }>> =>
  owner.evaluateHandle((given) => ({ value: given }), value);

it('whatever is held, or named by a call, lives through a collection at each message', async () => {
  const { stdout, stderr } = await runNode(['--expose-gc', COLLECTING, ...sized(['--least'], [])], {
    cwd: PACKAGE,
    env: { TEST_LAUNCH_OPTIONS: JSON.stringify(await playwrightLaunchOptions()) },
    timeoutMs: 100_000,
  });
  expect(stderr).toBe('');
  const { results, failures, collected } = JSON.parse(stdout);
  expect(failures).toEqual([]);
  expect(results).toEqual(Object.fromEntries(Object.keys(results).map((name) => [name, 'right'])));
  expect(collected).toBeGreaterThan(0);
});

describe('an argument of a console message', () => {
  const log = (value: number) => page.evaluate((given) => console.log({ value: given }), value);
  const firstArgument = (messages: readonly ConsoleMessage[]) =>
    (messages[0]?.args()[0] as JSHandle<{ value: number }> | undefined)?.evaluate((object) => object.value);

  it('can be had again when its handle was collected', async () => {
    await log(7);
    await collectUntil(await forgetArgument());
    await turns();
    expect(await firstArgument(await page.consoleMessages())).toBe(7);
  });

  it('is made again where an answer on its way names it', async () => {
    await log(8);
    const isCollected = await forgetArgument();
    const letGoOn = holdAnswers(browser, 'consoleMessages');
    onTestFinished(letGoOn);
    const answer = page.consoleMessages();
    await collectUntil(isCollected);
    await turns();
    letGoOn();
    expect(await firstArgument(await answer)).toBe(8);
  });

  /** Gives out an argument, of which the script keeps nothing, and waits until it is collected. */
  async function forgetArgument(): Promise<() => boolean> {
    const [message] = await page.consoleMessages();
    let isCollected = false;
    const registry = keptRegistry(() => {
      isCollected = true;
    });
    registry.register(message?.args()[0] as object, undefined);
    return () => isCollected || registry === undefined; // Which keeps the registry.
  }
});

it('a call that is on its way is answered though its handle is disposed of meanwhile', async () => {
  const handle = await make(page, 5);
  const answer = handle.evaluate((object) => object.value);
  await handle.dispose();
  expect(await answer).toBe(5);
});

it('a handle that was moved is good after its attachment has gone', async () => {
  const kept = await make(page, 6);
  const others = await Promise.all(Array.from({ length: 20 }, (_, value) => make(page, value)));
  await Promise.all(others.map((handle) => handle.dispose()));
  await releases.flush();
  expect(releases.stats().moved).toBeGreaterThan(0);
  releases.detach();
  expect(await kept.evaluate((object) => object.value)).toBe(6);
  await kept.dispose();
});

it('what is dead and unnoticed as the attachment goes is made again, for the server still has it', async () => {
  const connection = connectionOf(browser);
  const forget = async () => {
    const handle = (await make(page, 1)) as unknown as ChannelOwner;
    return { guid: handle._guid, seen: new WeakRef(handle) };
  };
  const { guid, seen } = await forget();
  await turns(2);
  globalThis.gc?.(); // No turn from here on: no finalizer has run.
  releases.detach();
  expect(seen.deref(), 'it was dead').toBeUndefined();
  expect(connection._objects.get(guid)?._type).toBe('JSHandle');
  expect(connection._objects.get(guid)?._parent?._objects.has(guid)).toBe(true);
});

it('an event of a handle that the script has forgotten makes nothing again', async () => {
  releases.detach();
  const connection = connectionOf(browser);
  const { dispatch } = connection;
  const received: ServerMessage[] = [];
  connection.dispatch = (message) => {
    received.push(message);
    dispatch.call(connection, message);
  };
  onTestFinished(() => {
    Reflect.deleteProperty(connection, 'dispatch'); // Its class has it.
  });
  const own = attach(browser);
  const forget = async (): Promise<string> => ((await make(page, 1)) as unknown as ChannelOwner)._guid;
  const guid = await forget();
  await turns(2);
  globalThis.gc?.(); // No turn from here on: no finalizer has run.
  connection.dispatch({ guid, method: 'previewUpdated', params: { preview: 'JSHandle@object' } });
  own.detach();
  const methods = received.filter((message) => message.guid === guid).map(({ method }) => method);
  expect(methods).toEqual([]);
});

/** Holds the answers to calls of one method, until they are let go on. */
function holdAnswers(of: Browser, method: string): () => void {
  const connection = connectionOf(of);
  const { dispatch, onmessage } = connection;
  const ids = new Set<unknown>();
  const held: ServerMessage[] = [];
  connection.onmessage = (call) => {
    if (call.method === method) ids.add(call.id);
    return onmessage.call(connection, call);
  };
  connection.dispatch = (message) => {
    // What follows keeps its place.
    if (held.length > 0 || ids.has(message.id)) held.push(message);
    else dispatch.call(connection, message);
  };
  return () => {
    if (connection.dispatch === dispatch) return;
    connection.dispatch = dispatch;
    connection.onmessage = onmessage;
    for (const message of held) dispatch.call(connection, message);
  };
}

function connectionOf(of: Browser): ClientConnection {
  return (of as unknown as { readonly _connection: ClientConnection })._connection;
}
