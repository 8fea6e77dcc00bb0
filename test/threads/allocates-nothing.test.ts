import { expect, test } from 'vitest';
import { connectReleasePort, openReleasePort } from '../../src/threads/index.ts';

test('a release by the ring allocates nothing once warm', () => {
  using port = openReleasePort({ release: () => true }, { capacity: 65_536, whenFull: 'refuse' });
  const worker = connectReleasePort(port.handle);
  const key = port.keyOf({});
  // Parsed ids are flat strings, as those that have crossed from another thread are.
  const ids: string[] = JSON.parse(
    JSON.stringify(Array.from({ length: 50_000 }, (_, index) => `-123456.1.${index}`)),
  );
  const bytesPerRelease: number[] = [];
  for (let round = 0; round < 10; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    // Not `for … of`: an iterator allocates a result a turn until it is optimized.
    for (let index = 0; index < ids.length; index++) worker.release(key, ids[index] ?? '');
    bytesPerRelease.push((process.memoryUsage().heapUsed - before) / ids.length);
    expect(port.drain()).toBe(ids.length);
  }
  // The compiler allocates too, now and then, on the way to being warm.
  expect(Math.min(...bytesPerRelease)).toBeLessThan(0.5);
});
