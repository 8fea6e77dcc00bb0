import { setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type Handle } from './attached-peer.ts';

const none: Handle = { objectId: '' };
/** What Puppeteer's JSHandle is to `escape`. */
const handleOf = (remoteObject: { objectId?: string }) => ({ remoteObject: () => remoteObject });

test('what is minted in a scope dies at its end by one command a session, held or not', async () => {
  await using world = new AttachedPeer();
  const [one, two] = [world.open(), world.open({ kind: 'worker' })];
  const outside = await one.evaluate();
  const value = await world.attachment.scope(async () => {
    await Promise.all([one.mint(500), two.mint(500)]);
    return 42;
  });
  expect(value).toBe(42);
  await world.rest();
  expect(one.alive()).toEqual([outside.objectId]);
  expect(two.alive()).toEqual([]);
  expect(one.releasesOnTheWire()).toHaveLength(1);
  expect(two.releasesOnTheWire()).toHaveLength(1);
  expect(world.stats).toMatchObject({ disposed: 1_000, groupFreed: 1_000, groupCommands: 2 });
});

test.each([
  [1_024, 1],
  [1_023, 0],
])('of %d handles, the end of a scope has sent %d command when it returns', async (count, sent) => {
  await using world = new AttachedPeer();
  const session = world.open();
  const scope = world.attachment.cover(() => true);
  await session.mint(count);
  scope[Symbol.dispose]();
  expect(session.releasesOnTheWire()).toHaveLength(sent);
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(session.releasesOnTheWire()).toHaveLength(1);
});

test.each<[string, () => unknown]>([
  [
    'a throw',
    () => {
      throw new Error('out');
    },
  ],
  ['a rejection', () => Promise.reject(new Error('out'))],
])("a scope that ends by %s ends all the same, and the error is the caller's", async (_, leave) => {
  await using world = new AttachedPeer();
  const session = world.open();
  await expect(
    world.attachment.scope(async () => {
      await session.mint(10);
      await leave();
    }),
  ).rejects.toThrow('out');
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('what is dropped in a long scope goes at once; what is minted afterwards goes to another group', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await world.attachment.scope(async () => {
    const first = await session.mint(100);
    await Promise.all(first.map((handle) => session.release(handle)));
    await world.rest();
    expect(session.alive()).toEqual([]);
    const later = await session.evaluate('({ later: 1 })');
    await world.rest();
    expect(await session.call(later, 'function() { return this.later; }')).toMatchObject({ value: 1 });
    await session.send('Runtime.getHeapUsage');
    expect(await session.mint(10)).toHaveLength(10);
  });
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(world.stats).toMatchObject({ minted: 111, released: 111 });
});

test('a body that is no async function, and one that throws before it is', async () => {
  await using world = new AttachedPeer();
  expect(await world.attachment.scope(() => 7)).toBe(7);
  await expect(
    world.attachment.scope(() => {
      throw new Error('out');
    }),
  ).rejects.toThrow('out');
  await expect(world.attachment.scope(undefined as never)).rejects.toThrow(TypeError);
});

test('scopes nest: the inner one takes its own along, the outer one the rest', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await world.attachment.scope(async () => {
    const outer = await session.evaluate('({ outer: 1 })');
    await world.attachment.scope(() => session.mint(10));
    await world.rest();
    expect(session.alive()).toEqual([outer.objectId]);
    expect(await session.call(outer, 'function() { return this.outer; }')).toMatchObject({ value: 1 });
  });
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('a thousand scopes in parallel do not disturb one another', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  let running = 1_000;
  await Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      world.attachment.scope(async () => {
        const handle = await session.evaluate(`({ index: ${index} })`);
        for (let turn = 0; turn < index % 7; turn++) await macrotask();
        expect(await session.call(handle, 'function() { return this.index; }')).toMatchObject({
          value: index,
        });
        running--;
      }),
    ),
  );
  expect(running).toBe(0);
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(world.stats).toMatchObject({ minted: 1_000, released: 1_000 });
});

test('children of an object from outside belong to the scope, although not to its group', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const outside = await session.evaluate('({ a: {}, b: {} })');
  await world.attachment.scope(() =>
    session.send('Runtime.getProperties', { objectId: outside.objectId, ownProperties: true }),
  );
  await world.rest();
  expect(session.alive()).toEqual([outside.objectId]);
});

test('an answer that comes when the scope is over was minted inside, and ends at once', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const commands = session.holdCommands('Runtime.evaluate');
  let late: Promise<Handle> | undefined;
  await world.attachment.scope(() => {
    late = session.evaluate();
  });
  await world.rest();
  expect(session.releasesOnTheWire()).toEqual([]);
  commands.letGo();
  await late;
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(session.releasesOnTheWire()).toHaveLength(1);
});

test('a handle that a running call names outlives the end of its scope until the call is answered', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ kind: 'worker' });
  const commands = session.holdCommands('Runtime.callFunctionOn');
  let call: Promise<Handle> | undefined;
  await world.attachment.scope(async () => {
    const handle = await session.evaluate('({ answer: 42 })');
    call = session.call(handle, 'function() { return this.answer; }');
  });
  await world.rest();
  expect(session.alive()).toHaveLength(1);
  commands.letGo();
  expect(await call).toMatchObject({ value: 42 });
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test("what is minted after the end, in an async context that the scope left behind, is no scope's", async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const { promise: ended, resolve: end } = deferred<void>();
  let late: Promise<Handle> | undefined;
  await world.attachment.scope(() => {
    late = ended.then(() => session.evaluate());
  });
  end();
  const handle = await late;
  await world.rest();
  expect(session.alive()).toEqual([handle?.objectId]);
});

test('a use after the scope is refused before the browser hears of it', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await world.attachment.scope(() => session.evaluate());
  await world.rest();
  await expect(session.call(handle, 'function() {}')).rejects.toThrow('inside a scope that has ended');
  expect(world.peer.earlyReleases).toEqual([]);
});

describe('escape', () => {
  test('an escaped handle stays valid; it dies as any other afterwards', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handle = await world.attachment.scope(async () => {
      await session.mint(50);
      const kept = await session.evaluate('({ kept: 1 })');
      const given = handleOf(kept);
      expect(world.attachment.escape(given)).toBe(given);
      await session.mint(50);
      return kept;
    });
    await world.rest();
    expect(session.alive()).toEqual([handle.objectId]);
    expect(await session.call(handle, 'function() { return this.kept; }')).toMatchObject({ value: 1 });
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('a stray can escape, too', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const outside = await session.evaluate('({ a: {} })');
    const child = await world.attachment.scope(async () => {
      const { result } = (await session.send('Runtime.getProperties', { objectId: outside.objectId })) as {
        result: { name: string; value: Handle }[];
      };
      const value = result.find(({ name }) => name === 'a')?.value ?? none;
      world.attachment.escape(handleOf(value));
      return value;
    });
    await world.rest();
    expect(session.alive().sort()).toEqual([outside.objectId, child.objectId].sort());
  });

  test("a handle of the outer scope's that escapes from within the inner one outlives both", async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    let kept = none;
    await world.attachment.scope(async () => {
      kept = await session.evaluate();
      await world.attachment.scope(async () => void world.attachment.escape(handleOf(kept)));
    });
    await world.rest();
    expect(session.alive()).toEqual([kept.objectId]);
  });

  test('a handle escapes from wherever the call is made: from a listener that knows no scope, too', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const { promise: minted, resolve: onMinted } = deferred<Handle>();
    const escaping = minted.then((handle) => world.attachment.escape(handleOf(handle)));
    const kept = await world.attachment.scope(async () => {
      const handle = await session.evaluate();
      onMinted(handle);
      await escaping;
      return handle;
    });
    await world.rest();
    expect(session.alive()).toEqual([kept.objectId]);
  });

  test('another session has the same id for another object, which does not escape along', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const [one, two] = [world.open({ target }), world.open({ target })];
    const kept = await world.attachment.scope(async () => {
      const [mine, other] = [await one.evaluate(), await two.evaluate()];
      expect(mine.objectId).toBe(other.objectId);
      world.attachment.escape(handleOf(mine));
      return mine;
    });
    await world.rest();
    expect(one.alive()).toEqual([kept.objectId]);
    expect(two.alive()).toEqual([]);
  });

  test('outside of any scope, of a primitive, of a handle that is not known: given back as it is', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    for (const given of [
      handleOf({}),
      handleOf(await session.evaluate()),
      handleOf({ objectId: 'unknown' }),
    ]) {
      expect(world.attachment.escape(given)).toBe(given);
    }
  });

  test.each([undefined, null, 42, 'handle', {}, { remoteObject: 1 }])(
    'something that is no handle is refused: %j',
    async (given) => {
      await using world = new AttachedPeer();
      expect(() => world.attachment.escape(given as never)).toThrow(TypeError);
    },
  );
});

describe('a scope over sessions', () => {
  test('ends what is minted in them meanwhile, whoever mints it, and nothing of other sessions', async () => {
    await using world = new AttachedPeer();
    const [inside, outside] = [world.open(), world.open()];
    {
      using _ = world.attachment.cover((ledger) => ledger === inside.tap.ledger);
      await Promise.all([inside.mint(20), outside.mint(20)]);
    }
    await inside.mint(3);
    await world.rest();
    expect(inside.alive()).toHaveLength(3);
    expect(outside.alive()).toHaveLength(20);
  });

  test('nests, and may be ended out of turn', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const outer = world.attachment.cover((ledger) => ledger === session.tap.ledger);
    const first = await session.evaluate();
    const inner = world.attachment.cover((ledger) => ledger === session.tap.ledger);
    const second = await session.evaluate();
    outer.end();
    outer.end();
    await world.rest();
    expect(session.alive()).toEqual([second.objectId]);
    const third = await session.evaluate();
    inner.end();
    await world.rest();
    expect(session.alive()).toEqual([]);
    await session.evaluate();
    await turns();
    expect(session.alive()).toHaveLength(1);
    expect([first, third]).toHaveLength(2);
  });

  test('an escaped handle stays', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    let kept = none;
    {
      using _ = world.attachment.cover((ledger) => ledger === session.tap.ledger);
      [kept = none] = await session.mint(20);
      world.attachment.escape(handleOf(kept));
    }
    await world.rest();
    expect(session.alive()).toHaveLength(1);
    expect(await session.call(kept, 'function() { return 1; }')).toMatchObject({ value: 1 });
  });
});

test("a result that the client keeps for itself is no scope's", async () => {
  await using world = new AttachedPeer();
  const session = world.open({
    createRules: () => ({
      keepsResult: (_, params) => params?.expression === '({ cache: 1 })',
      isClientsOwn: () => false,
      heldOf: () => undefined,
      dropsThrown: () => false,
      onSent: () => undefined,
    }),
  });
  const cached = await world.attachment.scope(async () => {
    await session.mint(10);
    return session.evaluate('({ cache: 1 })');
  });
  await world.rest();
  expect(session.alive()).toEqual([cached.objectId]);
});
