// A session whose protocol frees many objects by one command: a batch is one, and its answer is everybody's.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, onTestFinished, test } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest } from '../support/conservation.ts';
import { until } from '../support/turns.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

class ArraySession extends ScriptedSession {
  releaseObjects(handles: readonly string[]): Promise<unknown> {
    return this.send('script.disown', { handles });
  }

  get sizes(): (number | undefined)[] {
    return this.sent.map(({ params }) => (params?.handles as string[] | undefined)?.length);
  }
}

test('sends each batch as one command', async () => {
  const session = new ArraySession();
  await using batcher = new ReleaseBatcher();
  releaseMany(batcher, session, 150);
  expect(await batcher.flush()).toMatchObject({ complete: true, released: 150 });
  expect(session.sizes).toEqual([64, 64, 22]);
  expect(batcher.stats()).toMatchObject({ commands: 3, groupCommands: 0 });
  expectAtRest(batcher.stats());
});

test('sends a group by itself, beside the array', async () => {
  const session = new ArraySession();
  await using batcher = new ReleaseBatcher();
  const settled: unknown[] = [];
  const listen = (message: unknown): void => void settled.push(message);
  subscribe('cdp-release-batcher:batch:settled', listen);
  onTestFinished(() => void unsubscribe('cdp-release-batcher:batch:settled', listen));
  releaseMany(batcher, session, 2);
  batcher.releaseGroup(session, 'group');
  await batcher.flush();
  expect(session.sent.map(({ method }) => method).toSorted()).toEqual([
    'Runtime.releaseObjectGroup',
    'script.disown',
  ]);
  expect(batcher.stats()).toMatchObject({ commands: 2, groupCommands: 1, released: 2 });
  expect(settled).toMatchObject([{ commands: 2, groupCommands: 1, handles: 2, released: 2 }]);
});

test.each([
  ['no such frame Realm with id 7 not found', 'gone'],
  ['unknown error', 'failed'],
] as const)('counts every handle of an array that is refused with «%s» as %s', async (words, outcome) => {
  const session = new ArraySession('when told');
  await using batcher = new ReleaseBatcher();
  releaseMany(batcher, session, 70);
  await until(() => session.sent.length === 2);
  session.sent[0]?.refuse(new Error(words));
  session.sent[1]?.answer();
  await batcher.flush();
  expect(batcher.stats()).toMatchObject({ [outcome]: 64, released: 6 });
  expectAtRest(batcher.stats());
});

test('counts those of one that is never answered as timed out, and goes on', async () => {
  const session = new ArraySession('when told');
  await using batcher = new ReleaseBatcher({ releaseTimeoutMs: 10, maxInFlightBatches: 1 });
  releaseMany(batcher, session, 64);
  await until(() => batcher.stats().timedOut === 64);
  session.answersAtOnce = true;
  releaseMany(batcher, session, 3, 'later.');
  await until(() => batcher.stats().released === 3);
  expectAtRest(batcher.stats());
});

test('sees a session that throws to its end', async () => {
  await using batcher = new ReleaseBatcher();
  const session = {
    send: () => Promise.resolve({}),
    releaseObjects: () => {
      throw new Error('Connection closed.');
    },
  };
  releaseMany(batcher, session, 100);
  await batcher.flush();
  expect(batcher.stats()).toMatchObject({ gone: 100 });
  expectAtRest(batcher.stats());
});
