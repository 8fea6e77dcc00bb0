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
  for (let round = 0; round < 5; round++) {
    for (const id of ids) worker.release(key, id);
    port.drain();
  }
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let accepted = 0;
  // Not `for … of`: an iterator allocates a result a turn until it is optimized.
  for (let index = 0; index < ids.length; index++) if (worker.release(key, ids[index] ?? '')) accepted++;
  const bytes = process.memoryUsage().heapUsed - before;
  expect(accepted).toBe(50_000);
  expect(bytes / accepted).toBeLessThan(1);
});
