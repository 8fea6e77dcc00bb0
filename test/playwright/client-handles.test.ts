// The handles of Playwright's client half are held weakly: what may still be named lives, what may not is told to the keeper
// once, and what was collected and is named all the same is made again. Played by messages alone, without a browser.
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClientHandles, handlesOf } from '../../src/clients/playwright/client-handles.ts';
import type { ChannelOwner } from '../../src/clients/playwright/structure.ts';
import type { HandleKeeper, WeakHandle } from '../../src/clients/playwright/weak-handle.ts';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { FakeClientHalf, FakeOwner } from '../support/playwright-client-half.ts';
import { turns } from '../support/turns.ts';

const clock = vi.hoisted(() => ({ aheadMs: 0 }));
vi.mock('../../src/timers.ts', async (original) => {
  const timers = await original<typeof import('../../src/timers.ts')>();
  return { ...timers, monotonicNow: () => timers.monotonicNow() + clock.aheadMs };
});

/** Notes what it is told, by guid. */
class NotingKeeper implements HandleKeeper {
  readonly found: string[] = [];
  readonly handedOut: string[] = [];
  readonly gone: string[] = [];
  isOver = false;
  /** Whether what was collected may go. */
  mayEnd: (handle: WeakHandle) => boolean = () => true;
  refuses: Error | undefined;

  collected(handle: WeakHandle): boolean {
    this.found.push(handle.guid);
    return this.mayEnd(handle);
  }
  refusal(): Error | undefined {
    return this.refuses;
  }
  dispose(): Promise<unknown> {
    return Promise.resolve('here');
  }
  delivered(handle: WeakHandle): void {
    this.handedOut.push(handle.guid);
  }
  ended(handle: WeakHandle): void {
    this.gone.push(handle.guid);
  }
  over(): void {
    this.isOver = true;
  }
}

let client: FakeClientHalf;
let page: FakeOwner;
let frame: FakeOwner;
let keeper: NotingKeeper;
let stop: () => void;
beforeEach(() => {
  client = new FakeClientHalf();
  page = new FakeOwner(client, undefined, 'Page', 'page');
  frame = new FakeOwner(client, page, 'Frame', 'frame');
  keeper = new NotingKeeper();
  stop = ClientHandles.keep(page, keeper);
});
afterEach(() => stop());

const create = (guid: string, parent = 'frame', preview = guid): void =>
  client.dispatch({
    guid: parent,
    method: '__create__',
    params: { type: 'JSHandle', guid, initializer: { preview } },
  });
const answer = (id: number, ...guids: string[]): void =>
  client.dispatch({ id, guid: '', method: '', result: { handles: guids.map((guid) => ({ guid })) } });
const send = (id: number, guid: string, method: string, params?: object): void =>
  void client.onmessage({ id, guid, method, ...(params && { params: { ...params } }) });
/** Made, and handed to a script that forgets it at once. */
function hand(...guids: string[]): void {
  for (const guid of guids) create(guid);
  answer(0, ...guids);
}

let forgotten = 0;
/** Until one that was forgotten meanwhile is found, and a collection more: so is whatever could be. */
async function collectAll(): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const guid = `forgotten ${++forgotten}`;
    hand(guid);
    await turns(2);
    await collectUntil(() => keeper.found.includes(guid));
  }
}
/** Of the last collection nothing was told yet: no turn of the event loop has passed. */
async function collectUnheard(): Promise<void> {
  await turns(2);
  globalThis.gc?.();
}

describe('held', () => {
  it('until an answer has handed it to the script, and no longer', async () => {
    create('a');
    await collectAll();
    expect(keeper.found).not.toContain('a');
    expect(keeper.handedOut).not.toContain('a');
    answer(1, 'a');
    expect(keeper.handedOut).toContain('a');
    await collectAll();
    expect(keeper.found).toContain('a');
    expect(client.made.get('a')).toBe(1);
  });

  it('also through an event of its own, which hands it to nobody', async () => {
    create('a');
    client.dispatch({ guid: 'a', method: 'previewUpdated', params: { preview: 'new' } });
    await collectAll();
    expect(keeper.found).not.toContain('a');
    expect(keeper.handedOut).not.toContain('a');
  });

  it('for a minute at the most, where no answer comes', async () => {
    create('a');
    clock.aheadMs += 61_000;
    create('b');
    await collectAll();
    expect(keeper.found).toContain('a');
    expect(keeper.found).not.toContain('b');
  });

  it.each([
    ['the target', 'a', undefined],
    ['an argument', 'frame', { arg: { handles: [{ guid: 'a' }] } }],
    ['an element', 'frame', { source: { guid: 'a' } }],
  ])('as %s of a call, until that is answered', async (_, target, params) => {
    hand('a');
    send(1, target, 'evaluateExpression', params);
    await collectAll();
    expect(keeper.found).not.toContain('a');
    answer(1);
    await collectAll();
    expect(keeper.found).toContain('a');
  });

  it('not by what only looks like a guid in the data of the script', async () => {
    hand('a');
    send(1, 'frame', 'evaluateExpression', { arg: { value: { guid: 'a' } } });
    await collectAll();
    expect(keeper.found).toContain('a');
  });
});

describe('collected, and named again', () => {
  it('is made again as it was last, and found once more', async () => {
    create('a', 'frame', 'old');
    client.dispatch({ guid: 'a', method: 'previewUpdated', params: { preview: 'new' } });
    answer(0, 'a');
    await collectUnheard();
    answer(1, 'a');
    expect(client.made.get('a')).toBe(2);
    expect(client.given.at(-1)?.deref()).toMatchObject({ preview: 'new' });
    await collectAll();
    expect(keeper.found.filter((guid) => guid === 'a')).toEqual(['a']);
  });

  it('is still one that came with a console message', async () => {
    create('a');
    client.dispatch({ guid: 'page', method: 'console', params: { args: [{ guid: 'a' }] } });
    answer(0, 'a');
    await collectUnheard();
    answer(1, 'a');
    const marks: boolean[] = [];
    keeper.mayEnd = ({ guid, isConsoleArgument }) => {
      if (guid === 'a') marks.push(isConsoleArgument);
      return true;
    };
    await collectAll();
    expect(marks).toEqual([true]);
  });

  it('waits, while an answer is on its way that may name it', async () => {
    keeper.mayEnd = () => handlesOf(client)?.hasRepeatingCall === false;
    hand('a', 'b');
    send(1, 'page', 'consoleMessages');
    await collectAll();
    expect(keeper.found).toEqual(expect.arrayContaining(['a', 'b']));
    expect(keeper.gone).toEqual([]);
    const isAsked = keeper.found.length;
    answer(1, 'a');
    await turns();
    expect(client.made.get('a'), 'it is good').toBe(2);
    expect(keeper.found.slice(isAsked), 'it is asked about the other').toContain('b');
  });

  it('is not made again by an event of its own, and goes with its disposal', async () => {
    hand('a');
    await collectUnheard();
    client.dispatch({ guid: 'a', method: 'previewUpdated', params: { preview: 'new' } });
    client.dispatch({ guid: 'a', method: '__dispose__' });
    expect(client.made.get('a')).toBe(1);
    expect(keeper.gone).toEqual(['a']);
    expect(handlesOf(client)?.find('a')).toBeUndefined();
  });

  it('is not told of once its connection is closed', async () => {
    hand('a');
    await collectUnheard();
    client._closedError = new Error('closed');
    await turns();
    expect(keeper.found).toEqual([]);
  });

  it('is left as it is where the server half refuses', async () => {
    keeper.mayEnd = () => {
      throw new Error('refused');
    };
    hand('a');
    await collectAll();
    expect(keeper.found).toContain('a');
  });
});

describe('a disposal', () => {
  const disposeOf = (guid: string) =>
    client.sendMessageToServer(client._objects.get(guid) as ChannelOwner, 'dispose');

  it('is answered without a message', async () => {
    hand('a');
    expect(await disposeOf('a')).toBe('here');
    expect(client.sent).toEqual([]);
  });

  it('goes the usual way where a call names the handle, a trace is recorded, or the connection is closed', async () => {
    hand('a');
    send(1, 'a', 'evaluateExpression');
    expect(await disposeOf('a')).toBe('sent');
    answer(1);
    expect(await disposeOf('a')).toBe('here');
    client._tracingCount = 1;
    expect(await disposeOf('a')).toBe('sent');
    client._tracingCount = 0;
    const owner = client._objects.get('a') as ChannelOwner;
    client._closedError = new Error('closed');
    expect(await client.sendMessageToServer(owner, 'dispose')).toBe('sent');
  });

  it('is no call: one that comes too late is refused', async () => {
    hand('a');
    keeper.refuses = new Error('too late');
    const late = client.sendMessageToServer(client._objects.get('a') as ChannelOwner, 'evaluateExpression');
    await expect(late).rejects.toThrow('too late');
    expect(await disposeOf('a')).toBe('here');
  });
});

describe('what it belongs to', () => {
  it('takes its handles along, and tells each why', () => {
    hand('a', 'b');
    const owner = client._objects.get('a') as FakeOwner;
    client.dispatch({ guid: 'frame', method: '__dispose__', params: { reason: 'gc' } });
    expect(keeper.gone).toEqual(['a', 'b']);
    expect(owner.disposedFor).toBe('gc');
    expect(client._objects.has('a')).toBe(false);
  });

  it('is over when it is disposed of, or the connection closes', () => {
    hand('a');
    page._dispose();
    expect(keeper.isOver).toBe(true);
    const other = new NotingKeeper();
    onTestFinished(ClientHandles.keep(new FakeOwner(client, undefined, 'Page', 'other'), other));
    create('b', 'other');
    client.close();
    expect(other).toMatchObject({ isOver: true, gone: ['b'] });
  });

  it('is the nearest that is kept, a popup with its opener', () => {
    const popup = new FakeOwner(client, undefined, 'Page', 'popup');
    Reflect.set(popup, '_opener', page);
    const nearer = new NotingKeeper();
    const end = ClientHandles.keep(frame, nearer);
    create('a', 'popup');
    create('b', 'frame');
    answer(0, 'a', 'b');
    expect(keeper.handedOut).toEqual(['a']);
    expect(nearer.handedOut).toEqual(['b']);
    end();
    expect(nearer.gone).toEqual(['b']);
    expect(client._objects.get('b')?._parent?._objects.has('b'), 'as Playwright has it').toBe(true);
  });
});

it('leaves all as it was found, the collected made again', async () => {
  stop();
  const found = Reflect.ownKeys(client);
  const original = client._objects;
  stop = ClientHandles.keep(page, keeper);
  expect(client._objects).not.toBe(original);
  create('held');
  hand('a');
  await collectUnheard();
  stop();
  expect(client._objects).toBe(original);
  expect([...original.keys()].sort()).toEqual(['a', 'frame', 'held', 'page']);
  expect([...frame._objects.keys()].sort()).toEqual(['a', 'held']);
  expect(Reflect.ownKeys(client)).toEqual(found);
  expect(client.made.get('a')).toBe(2);
});

it('of a handle that has ended nothing leads to its keeper', async () => {
  let isGone = false;
  // No WeakRef: to ask one keeps its target for the job.
  const registry = keptRegistry(() => {
    isGone = true;
  });
  // In a function of its own: what an async function has had at hand it may keep.
  const endAndReplace = () => {
    registry.register(keeper, undefined);
    hand('a');
    const owner = client._objects.get('a');
    owner?._dispose();
    stop();
    keeper = new NotingKeeper();
    stop = ClientHandles.keep(page, keeper);
    return owner;
  };
  const owner = endAndReplace();
  await collectUntil(() => isGone);
  expect(owner).toBeDefined();
});
