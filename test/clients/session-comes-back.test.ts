// A session of the program's own may be lost and connected anew behind the same object: its books begin anew, under the
// attachment that there is.
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { attach } from '../../src/clients/session.ts';
import { expectAtRest } from '../support/conservation.ts';
import { FakePeer, type FakeSession } from '../support/fake-peer.ts';
import { givenBack } from '../support/given-back.ts';

/** Speaks to a new session of a new peer after each `connect`. */
class Reconnecting extends EventEmitter {
  wire: FakeSession = new FakePeer().attach();

  connect(): void {
    this.wire = new FakePeer().attach();
  }

  send(method: string, params?: Record<string, unknown>): Promise<unknown> {
    return this.wire.send(method, params);
  }
}

async function mint(session: Reconnecting): Promise<{ objectId: string }> {
  const { result } = (await session.send('Runtime.evaluate', { expression: '({})' })) as {
    result: { objectId: string };
  };
  return result;
}

test.each(['disconnect', 'close', 'Inspector.detached'])(
  'after `%s`, what is created on the new connection is tracked and released, attached again or not',
  async (ending) => {
    const session = new Reconnecting();
    const releases = attach(session, { track: true, targetType: 'page', pressure: false });
    for (const isAttachedAgain of [false, true]) {
      const before = releases.stats();
      await mint(session);
      session.emit(ending, {});
      session.connect();
      if (isAttachedAgain) expect(givenBack(attach(session, { track: true }))).toBe(releases);
      const { objectId } = await mint(session);
      expect(releases.stats()).toMatchObject({
        minted: before.minted + 2,
        live: 1,
        elided: before.elided + 1,
      });
      await session.send('Runtime.releaseObject', { objectId });
      expect(await releases.flush()).toMatchObject({ complete: true, released: 1 });
      expect(session.wire.peer.store.alive()).toEqual([]);
    }
    expectAtRest(releases.stats());
    releases.detach();
    expect(Object.hasOwn(session, 'send')).toBe(false);
  },
);
