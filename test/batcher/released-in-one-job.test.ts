// The ids that one job releases are noted first, and queued together when it is over. Nobody can tell.
import { expect, test, vi } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

test('what a job releases for two sessions, with a stream and a group between, is sent in the order of the calls', async () => {
  await using batcher = new ReleaseBatcher();
  const [one, other] = [new ScriptedSession(), new ScriptedSession()];
  for (const id of ['1.1.1', '1.1.2', '1.1.3']) batcher.release(one, id);
  batcher.releaseGroup(one, 'group');
  for (const id of ['1.1.4', '1.1.5']) batcher.release(one, id);
  batcher.closeStream(one, 'stream');
  batcher.release(other, '2.1.1');
  batcher.release(one, '1.1.6');
  batcher.release(other, '2.1.2');
  await batcher.flush();
  expect(one.sent.map(({ params }) => Object.values(params ?? {})[0])).toEqual([
    ...['1.1.1', '1.1.2', '1.1.3', 'group', '1.1.4', '1.1.5', 'stream', '1.1.6'],
  ]);
  expect(other.ids).toEqual(['2.1.1', '2.1.2']);
});

test('each of them is counted at once', () => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  for (let turn = 1; turn <= 5; turn++) {
    batcher.release(session, `1.1.${turn}`);
    batcher.release(session, `2.1.${turn}`);
    expect(batcher.stats()).toMatchObject({ minted: 3 * turn - 1, queued: 2 * turn, disposed: 2 * turn });
    batcher.release(session, '');
    expect(batcher.stats()).toMatchObject({ minted: 3 * turn, queued: 2 * turn, dropped: turn });
    expectConserved(batcher.stats());
  }
});

test('maxQueueSize holds within a job', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const batcher = new ReleaseBatcher({ maxQueueSize: 10 });
  const session = new ScriptedSession();
  const accepted = Array.from({ length: 15 }, (_, index) => batcher.release(session, `1.1.${index}`));
  expect(accepted).toEqual([...Array(10).fill(true), ...Array(5).fill(false)]);
  expect(batcher.stats()).toMatchObject({ minted: 15, queued: 10, dropped: 5 });
  expect(warn).toHaveBeenCalledOnce();
  await batcher.close();
  expect(session.ids).toHaveLength(10);
  expectAtRest(batcher.stats());
});

test.each([
  ['aborted', (_: ReleaseBatcher, controller: AbortController) => controller.abort(), 0],
  ['closed', (batcher: ReleaseBatcher) => void batcher.close(), 5],
])('a job in which the batcher is %s releases nothing from there on', async (_how, end, sent) => {
  const controller = new AbortController();
  const batcher = new ReleaseBatcher({ signal: controller.signal });
  const session = new ScriptedSession();
  releaseMany(batcher, session, 5);
  end(batcher, controller);
  expect(batcher.release(session, '2.1.1')).toBe(false);
  await batcher.close();
  expect(session.ids).toHaveLength(sent);
  expect(batcher.stats()).toMatchObject({ minted: 6, released: sent, dropped: 6 - sent });
  expectAtRest(batcher.stats());
});

test('of a job that releases more than are noted at once, all are sent, in order', async () => {
  await using batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  releaseMany(batcher, session, 40_000);
  await batcher.flush();
  expect(session.ids).toEqual(Array.from({ length: 40_000 }, (_, index) => `1.1.${index + 1}`));
});
