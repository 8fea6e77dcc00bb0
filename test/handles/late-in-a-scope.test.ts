// What is left running by a scope that has ended runs in the scope around it: what it mints belongs there.
import { expect, test } from 'vitest';
import { HandleScope } from '../../src/handles/scope.ts';
import { collectUntil } from '../support/collect-until.ts';
import { deferred } from '../support/deferred.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { AttachedPeer, type AttachedSession } from './attached-peer.ts';

/** Scopes around one another, so deep. */
async function nested(
  world: AttachedPeer,
  session: AttachedSession,
  kind: 'scope' | 'cover',
  depth: number,
  body: () => void,
): Promise<void> {
  if (depth === 0) return body();
  const inner = () => nested(world, session, kind, depth - 1, body);
  if (kind === 'scope') return world.attachment.scope(inner);
  using _ = world.attachment.cover((ledger) => ledger === session.tap.ledger);
  await inner();
}

test.each([
  ['scope', 1],
  ['scope', 3],
  ['cover', 1],
  ['cover', 3],
] as const)("a left-over of a %s, %i deep, mints into the outer one's", async (kind, depth) => {
  await using world = new AttachedPeer();
  const session = world.open();
  await world.attachment.scope(async () => {
    const { promise: innerIsOver, resolve: end } = deferred<void>();
    let late: Promise<unknown> | undefined;
    await nested(world, session, kind, depth, () => {
      late = innerIsOver.then(() => session.mint(10));
    });
    end();
    await late;
    await world.rest();
    expect(session.alive(), 'the outer one runs').toHaveLength(10);
  });
  expect(world.stats.live).toBe(0);
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('where no scope around it runs any more, it mints for nobody', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const { promise: allIsOver, resolve: end } = deferred<void>();
  let late: Promise<unknown> | undefined;
  await world.attachment.scope(() =>
    world.attachment.scope(() => {
      late = allIsOver.then(() => session.mint(10));
    }),
  );
  // Another that runs meanwhile is none of its own.
  await world.attachment.scope(async () => {
    end();
    await late;
  });
  await world.rest();
  expect(session.alive()).toHaveLength(10);
});

test('of scopes that start one another, each before it ends, none is held that has ended', async () => {
  let collected = 0;
  const registry = keptRegistry(() => collected++);
  let current = new HandleScope('scope()', () => {});
  for (let count = 0; count < 50; count++) {
    const next: HandleScope = new HandleScope('scope()', () => {}, current.running);
    current.end();
    registry.register(current, undefined);
    current = next;
  }
  await collectUntil(() => collected >= 49);
  expect(current.running).toBe(current);
});
