// What all jobs of a process may take of a turn of the event loop is one budget, however many they are. Time goes on by
// what the jobs say that they took.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chargeTurn, SlicedJob } from '../../src/runtime/event-loop.ts';

/** Milliseconds of a turn that are given out. */
const BUDGET = 6;

let now = 0;
let isOver = false;

beforeEach(async () => {
  isOver = false;
  // What the finalizers of another file's objects took is off the budget of the next jobs: these.
  new SlicedJob(() => true).schedule();
  await turn();
  await turn();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

/** Ends the jobs that a test left undone. */
afterEach(async () => {
  isOver = true;
  await turn();
  vi.restoreAllMocks();
});

/** A job with `work` milliseconds to do, which takes what it is given; what that was is noted, a number a turn. */
function openJob(work: number, given: number[]): SlicedJob {
  let left = work;
  return new SlicedJob((deadline) => {
    given.push(deadline - now);
    const taken = Math.min(left, deadline - now);
    now += taken;
    left -= taken;
    return left <= 0 || isOver;
  });
}

test('a job runs in the next turn, once, however often it is scheduled', async () => {
  const given: number[] = [];
  const job = openJob(1, given);
  job.schedule();
  job.schedule();
  expect(given).toEqual([]);
  await turn();
  await turn();
  expect(given).toEqual([BUDGET / 2]);
  job.schedule();
  await turn();
  expect(given).toEqual([BUDGET / 2, BUDGET / 2]);
});

test('a job that is not done goes on in the next turn, with as much time again', async () => {
  const given: number[] = [];
  openJob(7, given).schedule();
  for (let count = 0; count < 5; count++) await turn();
  expect(given).toEqual([3, 3, 3]);
});

test('each is given half of what those before it left', async () => {
  const given: number[] = [];
  for (let count = 0; count < 4; count++) openJob(100, given).schedule();
  await turn();
  expect(given).toEqual([3, 1.5, 0.75, 0.375]);
});

test('a job that takes little leaves the others the more', async () => {
  const given: number[] = [];
  openJob(1, given).schedule();
  openJob(100, given).schedule();
  await turn();
  expect(given).toEqual([3, 2.5]);
});

test('a hundred jobs take no more of a turn than the budget, and each gets on in every turn', async () => {
  const runs = Array.from({ length: 100 }, () => 0);
  for (const index of runs.keys()) {
    const job = new SlicedJob((deadline) => {
      runs[index] = (runs[index] ?? 0) + 1;
      now = Math.max(now, deadline);
      return isOver;
    });
    job.schedule();
  }
  for (let count = 1; count <= 3; count++) {
    const before = now;
    await turn();
    expect(now - before).toBeLessThanOrEqual(BUDGET);
    expect(new Set(runs)).toEqual(new Set([count]));
  }
});

test('where the budget is overdrawn, the next are called with no time left, and the next turn is a new one', async () => {
  const given: number[] = [];
  const greedy = new SlicedJob(() => {
    now += 50;
    return true;
  });
  greedy.schedule();
  openJob(100, given).schedule();
  await turn();
  await turn();
  expect(given).toEqual([0, 3]);
});

test('a job that is scheduled by another in the same turn runs in the next', async () => {
  const order: string[] = [];
  const second = new SlicedJob(() => order.push('second') > 0);
  const first = new SlicedJob(() => {
    second.schedule();
    return order.push('first') > 0;
  });
  first.schedule();
  await turn();
  expect(order).toEqual(['first']);
  await turn();
  expect(order).toEqual(['first', 'second']);
});

test('what was taken of a turn before its jobs run is off their budget, each time that it was', async () => {
  const given: number[] = [];
  chargeTurn(1);
  chargeTurn(3);
  openJob(100, given).schedule();
  await turn();
  expect(given).toEqual([(BUDGET - 4) / 2]);
  await turn();
  expect(given.slice(1), 'the next turn is a new one').toEqual([BUDGET / 2]);
});

test('however much was taken, the jobs are called, and the turn after is theirs', async () => {
  const given: number[] = [];
  for (let count = 0; count < 100; count++) chargeTurn(5);
  openJob(100, given).schedule();
  await turn();
  await turn();
  expect(given).toEqual([0, BUDGET / 2]);
});
