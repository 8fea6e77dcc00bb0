// The way past Puppeteer's own bookkeeping, on a connection whose browser is the test: it is wrapped, delayed, closed.
import { expect, it } from 'vitest';
import { type OnAnswer, POST, type PostingSession } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { type DirectSend, directSend } from '../../src/clients/puppeteer/direct-send.ts';
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns } from '../support/turns.ts';
import { expectNoUnhandledRejections } from '../support/unhandled-rejections.ts';

interface Register {
  create(method: string, timeoutMs: number, send: (id: number) => void): PromiseLike<unknown>;
}
type RawSend = (
  register: Register,
  method: string,
  params?: object,
  sessionId?: string,
) => PromiseLike<unknown>;

/** Puppeteer's connection and one of its sessions, as far as they are used. */
class Wire {
  readonly sent: { readonly id: number; readonly method: string }[] = [];
  readonly seenByPuppeteer: unknown[] = [];
  readonly sentByPuppeteer: string[] = [];
  #lastId = 0;
  readonly connection = {
    on: () => {},
    off: () => {},
    session: () => null,
    _idGenerator: () => ++this.#lastId,
    _rawSend: ((register, method) =>
      register.create(method, 0, (id) => this.transmit(id, method))) as RawSend,
  };
  readonly session = {
    id: () => 'S',
    connection: () => this.connection,
    send: async (method: string) => void this.sentByPuppeteer.push(method),
    emit: () => {},
    onMessage: (reply: unknown): void => void this.seenByPuppeteer.push(reply),
    hasCallback: (_id: number): boolean => false,
  };

  transmit(id: number, method: string): void {
    this.sent.push({ id, method });
  }

  direct(): DirectSend & PostingSession {
    return directSend(this.session as unknown as CdpSessionLike) as DirectSend & PostingSession;
  }

  answer(id: number | undefined, error?: { message: string }): void {
    const method = this.sent.find((command) => command.id === id)?.method;
    this.session.onMessage(error === undefined ? { id, result: { method } } : { id, error });
  }
}

expectNoUnhandledRejections();

/** What came back, by slot. */
function answers(): { readonly list: [slot: number, reason: unknown][]; readonly note: OnAnswer } {
  const list: [number, unknown][] = [];
  return { list, note: (slot, reason) => void list.push([slot, (reason as Error | undefined)?.message]) };
}

it('tells each command its own answer, whatever their order', () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { list, note } = answers();
  for (const slot of [7, 8, 9]) direct[POST]('Runtime.releaseObject', {}, slot, note);
  wire.answer(3);
  wire.answer(1, { message: 'no' });
  wire.answer(2);
  expect(list).toEqual([
    [9, undefined],
    [7, 'no'],
    [8, undefined],
  ]);
  expect(wire.seenByPuppeteer).toEqual([]);
});

it('takes an answer that comes while the command is being sent', () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { list, note } = answers();
  wire.transmit = (id) => wire.answer(id);
  direct[POST]('Runtime.releaseObject', {}, 4, note);
  expect(list).toEqual([[4, undefined]]);
});

it("leaves the answers to Puppeteer's own commands, and events, to Puppeteer", () => {
  const wire = new Wire();
  const direct = wire.direct();
  direct[POST]('Runtime.releaseObject', {}, 0, () => {});
  expect([wire.session.hasCallback(1), wire.session.hasCallback(2)]).toEqual([true, false]);
  wire.answer(2);
  wire.answer(undefined);
  expect(wire.seenByPuppeteer).toHaveLength(2);
});

it('answers `send` with the result, or rejects it', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const [good, bad] = [direct.send('Runtime.getHeapUsage'), direct.send('Runtime.releaseObject')];
  wire.answer(1);
  wire.answer(2, { message: 'no' });
  await expect(good).resolves.toEqual({ method: 'Runtime.getHeapUsage' });
  await expect(bad).rejects.toThrow('no');
});

it('is a promise to whoever wraps `_rawSend` and waits', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { _rawSend: send } = wire.connection;
  const log: unknown[] = [];
  wire.connection._rawSend = async (...sent) => {
    try {
      const result = await send(...sent);
      log.push(result);
      return result;
    } catch (error) {
      log.push((error as Error).message);
      throw error;
    } finally {
      log.push('ended');
    }
  };
  const { list, note } = answers();
  for (const slot of [1, 2]) direct[POST]('Runtime.releaseObject', {}, slot, note);
  wire.answer(1);
  wire.answer(2, { message: 'no' });
  await turns();
  expect(log).toEqual([{ method: 'Runtime.releaseObject' }, 'ended', 'no', 'ended']);
  expect(list).toEqual([
    [1, undefined],
    [2, 'no'],
  ]);
});

it.each(['then', 'catch', 'finally'] as const)('has `%s`, before the answer and after', async (member) => {
  const wire = new Wire();
  const direct = wire.direct();
  const { _rawSend: send } = wire.connection;
  let given: Promise<unknown> | undefined;
  wire.connection._rawSend = (...sent) => {
    given = send(...sent) as Promise<unknown>;
    return given;
  };
  const reasons: unknown[] = [];
  const wait = (): Promise<unknown> | undefined => {
    const note = (reason: unknown): void => void reasons.push(reason);
    if (member === 'then') return given?.then(undefined, note);
    if (member === 'catch') return given?.catch(note);
    return given?.finally(() => reasons.push('end')).catch(note);
  };
  direct[POST]('Runtime.releaseObject', {}, 0, () => {});
  const before = wait();
  wire.answer(1, { message: 'no' });
  await before;
  await wait();
  const each = member === 'finally' ? ['end', new Error('no')] : [new Error('no')];
  expect(reasons).toEqual([...each, ...each]);
});

it('keeps commands apart that somebody holds back and lets go in another order', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { _rawSend: send } = wire.connection;
  const held: (() => void)[] = [];
  wire.connection._rawSend = (...sent) =>
    new Promise((resolve) => held.unshift(() => resolve(send(...sent))));
  const { list, note } = answers();
  direct[POST]('first', {}, 1, note);
  direct[POST]('second', {}, 2, note);
  for (const letGo of held) letGo();
  expect(wire.sent.map(({ method }) => method)).toEqual(['second', 'first']);
  wire.answer(1);
  expect(list).toEqual([[2, undefined]]);
  wire.answer(2, { message: 'no' });
  expect(list).toEqual([
    [2, undefined],
    [1, 'no'],
  ]);
});

it('refuses what cannot be sent, and waits for nothing of it', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { list, note } = answers();
  wire.transmit = () => {
    throw new Error('WebSocket is not open');
  };
  direct[POST]('Runtime.releaseObject', {}, 1, note);
  wire.connection._rawSend = () => Promise.reject(new Error('Connection closed.')); // As Puppeteer's, once closed.
  direct[POST]('Runtime.releaseObject', {}, 2, note);
  wire.connection._rawSend = () => Promise.reject(undefined);
  direct[POST]('Runtime.releaseObject', {}, 3, note);
  await turns();
  expect(list).toEqual([
    [1, 'WebSocket is not open'],
    [2, 'Connection closed.'],
    [3, 'Refused without a reason'],
  ]);
  expect(wire.session.hasCallback(1)).toBe(false);
});

it('is closed: what waits is refused once, what follows goes by the session', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const { list, note } = answers();
  direct[POST]('Runtime.releaseObject', {}, 1, note);
  const asked = direct.send('Runtime.getHeapUsage');
  direct.close('Session closed');
  await expect(asked).rejects.toThrow('Session closed');
  wire.answer(1);
  expect(wire.seenByPuppeteer).toHaveLength(1);
  direct[POST]('Runtime.releaseObject', {}, 2, note);
  await turns();
  expect(wire.sentByPuppeteer).toEqual(['Runtime.releaseObject']);
  expect(list).toEqual([
    [1, 'Session closed'],
    [2, undefined],
  ]);
});

it('settles each release of a batch by its own answer, and the unanswered by the clock', async () => {
  const wire = new Wire();
  const direct = wire.direct();
  const batcher = new ReleaseBatcher({ maxInFlightBatches: 1, maxBatchSize: 4, releaseTimeoutMs: 50 });
  for (const id of ['1.1.1', '1.1.2', '1.1.3', '1.1.4', 'afterwards']) batcher.release(direct, id);
  await turns();
  wire.answer(2);
  wire.answer(1, { message: 'Could not find object with given id' });
  wire.answer(3, { message: 'no' });
  expect(batcher.stats()).toMatchObject({ released: 1, gone: 1, failed: 1, inFlight: 1, queued: 1 });
  await expect.poll(() => batcher.stats()).toMatchObject({ timedOut: 1, inFlight: 1, queued: 0 });
  wire.answer(4); // Too late, and counted already.
  wire.answer(5);
  await expect.poll(() => batcher.stats()).toMatchObject({ released: 2, timedOut: 1, inFlight: 0 });
  expectAtRest(batcher.stats());
});
