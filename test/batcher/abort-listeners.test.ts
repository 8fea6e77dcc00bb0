// A signal may be shared by any number of batchers and attachments: it has one listener of ours, and none left over.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { ReleaseBatcher } from '../../src/index.ts';
import { onAbort } from '../../src/runtime/abort-listeners.ts';
import { stillAlive } from '../support/still-alive.ts';

const owner = {};

test('however many listen, the signal has one listener, and each is told once', () => {
  const abort = new AbortController();
  let told = 0;
  for (let count = 0; count < 100; count++) onAbort(abort.signal, owner, () => told++);
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
  abort.abort();
  expect(told).toBe(100);
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
});

test('whoever stopped listening is not told, twice stopped or not; after the last the signal is as it was', () => {
  const abort = new AbortController();
  const told: string[] = [];
  const [first, second] = ['first', 'second'].map((name) =>
    onAbort(abort.signal, owner, () => told.push(name)),
  );
  first?.();
  first?.();
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
  second?.();
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  onAbort(abort.signal, owner, () => told.push('third'));
  first?.();
  abort.abort();
  second?.();
  expect(told).toEqual(['third']);
});

test('a listener that stops another while they are told is too late: all are told who listened', () => {
  const abort = new AbortController();
  const told: string[] = [];
  const stops: (() => void)[] = [];
  stops.push(onAbort(abort.signal, owner, () => told.push('first') && stops[1]?.()));
  stops.push(onAbort(abort.signal, owner, () => told.push('second')));
  abort.abort();
  expect(told).toEqual(['first', 'second']);
});

test('a hundred batchers that close leave nothing on the signal that they shared', async () => {
  const { signal } = new AbortController();
  const batchers = Array.from({ length: 100 }, () => new ReleaseBatcher({ signal }));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await Promise.all(batchers.map((batcher) => batcher.close()));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a signal keeps nobody alive who listens to it', async () => {
  const { signal } = new AbortController();
  const dropped: WeakRef<object>[] = [];
  const listen = (): void => {
    const batcher = new ReleaseBatcher({ signal });
    dropped.push(new WeakRef(batcher));
  };
  for (let count = 0; count < 100; count++) listen();
  expect(await stillAlive(Object.fromEntries(dropped.entries()))).toEqual([]);
});

test('whoever still lives is told, however many who listened before are gone', async () => {
  const abort = new AbortController();
  let told = 0;
  const gone: WeakRef<object>[] = [];
  const listen = (): void => {
    const shortLived = {};
    gone.push(new WeakRef(shortLived));
    onAbort(abort.signal, shortLived, () => told++);
  };
  for (let count = 0; count < 40; count++) listen();
  expect(await stillAlive(Object.fromEntries(gone.entries()))).toEqual([]);
  for (let count = 0; count < 40; count++) onAbort(abort.signal, owner, () => told++);
  abort.abort();
  expect(told).toBe(40);
});

test('of whoever listened and is gone nothing is kept, though nobody else has come since', async () => {
  const { signal } = new AbortController();
  const kept: Record<string, WeakRef<object>> = {};
  const listen = (count: number): void => {
    const onAborted = (): void => {};
    kept[`listener ${count}`] = new WeakRef(onAborted);
    onAbort(signal, {}, onAborted);
  };
  for (let count = 0; count < 40; count++) listen(count);
  expect(await stillAlive(kept)).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});
