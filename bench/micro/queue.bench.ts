/** The queue against its peers: a burst in, a burst out. Bursts are as long as in chromiumoxide's benchmark. */
import Denque from 'denque';
import * as fastq from 'fastq';
import { bench, describe } from 'vitest';
import { RingQueue } from '../../src/batcher/ring-queue.ts';
import { ChainedRings } from './chained-rings.ts';

const BURSTS = [1, 64, 1_024, 8_192];

describe.each(BURSTS)('a burst of %i, in and out', (burst) => {
  const items = Array.from({ length: burst }, (_, index) => `1.1.${index}`);

  const ring = new RingQueue<string>();
  bench('RingQueue', () => {
    for (const item of items) ring.push(item);
    while (ring.shift() !== undefined);
  });

  const rings = new ChainedRings<string>();
  bench("Node's chained rings", () => {
    for (const item of items) rings.push(item);
    while (rings.shift() !== undefined);
  });

  const array: string[] = [];
  bench('array, push and shift', () => {
    for (const item of items) array.push(item);
    while (array.shift() !== undefined);
  });

  const denque = new Denque<string>();
  bench('denque', () => {
    for (const item of items) denque.push(item);
    while (denque.shift() !== undefined);
  });

  // It calls a worker for each item, so it does more than the others: it is here as what people take.
  const fast = fastq.default<unknown, string>((_item, done) => done(null), 1);
  bench('fastq, with an empty worker', () => {
    fast.pause();
    for (const item of items) fast.push(item);
    fast.resume();
  });
});
