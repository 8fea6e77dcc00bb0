import { expect, test } from 'vitest';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';

test('the defaults', () => {
  expect(resolveBatcherOptions()).toEqual({
    maxBatchSize: 64,
    maxInFlightBatches: 8,
    releaseTimeoutMs: 30_000,
    maxQueueSize: 1_000_000,
    signal: undefined,
  });
});

test('an option that is undefined is one that was not given', () => {
  expect(resolveBatcherOptions({ maxBatchSize: undefined, signal: undefined })).toEqual(
    resolveBatcherOptions(),
  );
});

test.each([
  ['maxBatchSize', 1, 1_024],
  ['maxInFlightBatches', 1, 65_536],
  ['releaseTimeoutMs', 1, 2 ** 31 - 1],
  ['maxQueueSize', 1, Number.MAX_SAFE_INTEGER],
])('%s is a whole number from %i to %i', (name, min, max) => {
  const resolve = (value: unknown) => () => resolveBatcherOptions({ [name]: value });
  expect(resolve(min)()).toMatchObject({ [name]: min });
  expect(resolve(max)()).toMatchObject({ [name]: max });
  for (const value of [min - 1, max + 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(resolve(value)).toThrow(RangeError);
    expect(resolve(value)).toThrow(name);
    expect(resolve(value)).toThrow(`got ${value}`);
  }
  for (const [value, shown] of [
    ['64', "'64'"],
    [null, 'null'],
    [true, 'true'],
    [64n, '64n'],
    [[64], 'an array'],
    [{}, 'an object'],
    [() => 64, 'a function'],
    [Symbol('x'), 'Symbol(x)'],
  ] as const) {
    expect(resolve(value)).toThrow(TypeError);
    expect(resolve(value)).toThrow(name);
    expect(resolve(value)).toThrow(`got ${shown}`);
  }
});

test('signal has to be an AbortSignal', () => {
  const { signal } = new AbortController();
  expect(resolveBatcherOptions({ signal })).toMatchObject({ signal });
  const bad = { aborted: false } as unknown as AbortSignal;
  expect(() => resolveBatcherOptions({ signal: bad })).toThrow(
    new TypeError('signal must be an AbortSignal, got an object'),
  );
});

test.each([null, 42, 'fast'])('options that are no object (%s) are refused by the constructor', (options) => {
  expect(() => new ReleaseBatcher(options as never)).toThrow(TypeError);
  expect(() => new ReleaseBatcher(options as never)).toThrow('options must be an object, got ');
});

test('a long string is not repeated whole in the message', () => {
  expect(() => resolveBatcherOptions({ maxBatchSize: 'x'.repeat(10_000) as never })).toThrow(/^.{1,120}$/);
});

test('a bad timeoutMs of flush is named, too, by a rejection', async () => {
  const batcher = new ReleaseBatcher();
  await expect(batcher.flush({ timeoutMs: -1 })).rejects.toThrow(
    new RangeError('timeoutMs must be a whole number from 0 to 2147483647, got -1'),
  );
  await expect(batcher.flush({ timeoutMs: '1' as never })).rejects.toThrow(TypeError);
  await expect(batcher.flush(null as never)).rejects.toThrow('options must be an object, got null');
});
