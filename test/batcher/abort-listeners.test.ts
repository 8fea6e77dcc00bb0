// A signal may be shared by any number of batchers and attachments: it has one listener of ours, and none left over.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/batcher/abort-listeners.ts';
import { ReleaseBatcher } from '../../src/index.ts';

test('however many listen, the signal has one listener, and each is told once', () => {
  const abort = new AbortController();
  let told = 0;
  for (let count = 0; count < 100; count++) onAbort(abort.signal, () => told++);
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
  abort.abort();
  expect(told).toBe(100);
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
});

test('whoever stopped listening is not told, twice stopped or not; after the last the signal is as it was', () => {
  const abort = new AbortController();
  const told: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => onAbort(abort.signal, () => told.push(name)));
  first?.();
  first?.();
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
  second?.();
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  onAbort(abort.signal, () => told.push('third'));
  first?.();
  abort.abort();
  second?.();
  expect(told).toEqual(['third']);
});

test('a listener that stops another while they are told is too late: all are told who listened', () => {
  const abort = new AbortController();
  const told: string[] = [];
  const stops: (() => void)[] = [];
  stops.push(onAbort(abort.signal, () => told.push('first') && stops[1]?.()));
  stops.push(onAbort(abort.signal, () => told.push('second')));
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
