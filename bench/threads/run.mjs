/**
 * What a release from a worker thread costs, by the ring and by what else one could do:
 *
 *     npm run build && node bench/threads/run.mjs [--workers 1] [--rounds 31] [--json FILE]
 *
 * Two loads: releases in one burst, and with some 10 µs of other work after each, as a parser would have.
 * Every round goes through all ways, in an order that alternates. Ratios are taken within a round; a row
 * shows the median over the rounds. `worker` is what the releases add to a worker's time, `connection` how
 * long the thread that owns the connection was busy (event loop utilization). Both per id.
 *
 * The figures of the README are those of `bench/results/threads.json`:
 *
 *     node bench/threads/run.mjs --json bench/results/threads.json
 *     UPDATE_FIGURES=1 npx vitest run test/bench/thread-figures.test.ts
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import { spreadOf } from '../../dist/bench/report/statistics.js';
import { openReleasePort, SharedRingQueue } from '../../dist/threads/index.js';
import { MutexRing } from './mutex-ring.mjs';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '31' },
    json: { type: 'string' },
  },
});
const workerCount = Number(values.workers);
const rounds = Number(values.rounds);
const WARM_UP_ROUNDS = 3;
const LOADS = {
  'in one burst': { count: 30_000, workMicroseconds: 0 },
  'with other work between': { count: 2000, workMicroseconds: 10 },
};

const WAYS = {
  ring: 'the ring',
  mutex: 'a ring under a lock',
  arrays: 'postMessage, arrays of 64',
  single: 'postMessage, one by one',
  nothing: 'no release',
};

let arrived = 0;
let awaited = 0;
let allArrived = () => {};
const session = {};
const batcher = {
  release(_session, objectId) {
    if (++arrived === awaited) allArrived();
    return objectId !== '';
  },
};

// Room for everything at once: what a full ring does is no matter of speed.
const capacity = 2 ** Math.ceil(Math.log2(30_000 * workerCount));
const port = openReleasePort(batcher, { capacity, whenFull: 'refuse' });
const sessionKey = port.keyOf(session);
const mutexRing = SharedRingQueue.allocate(capacity);
const sessions = new Map([[sessionKey, session]]);
void popFromMutexRing(new MutexRing(mutexRing));
const workers = Array.from({ length: workerCount }, startWorker);

console.log(`${workerCount} workers, ${rounds} rounds, Node ${process.version}; medians, per id`);
const loads = [];
for (const [name, load] of Object.entries(LOADS)) {
  loads.push({ name, ways: summaryOf(await measureAll(load)) });
  print(loads.at(-1));
}
if (values.json !== undefined) {
  const environment = { node: process.version, cpu: cpus()[0]?.model, cpuCount: cpus().length };
  writeFileSync(
    values.json,
    `${JSON.stringify({ environment, workerCount, rounds, loads }, undefined, 2)}\n`,
  );
}
process.exit();

async function measureAll(load) {
  const figures = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const order = round % 2 === 0 ? Object.keys(WAYS) : Object.keys(WAYS).reverse();
    for (const way of order) {
      const figure = await measure(way, load);
      if (round >= 0) figures[way].push(figure);
    }
  }
  // What the loop takes without a release is no part of any way.
  const idle = figures.nothing;
  delete figures.nothing;
  for (const rows of Object.values(figures)) {
    for (const [round, row] of rows.entries()) row.worker = Math.max(row.worker - idle[round].worker, 1);
  }
  return figures;
}

async function measure(way, { count, workMicroseconds }) {
  arrived = 0;
  awaited = count * workerCount;
  const everything = new Promise((resolve) => {
    allArrived = resolve;
  });
  const before = performance.eventLoopUtilization();
  for (const worker of workers) worker.postMessage({ way, count, workMicroseconds });
  const reports = await Promise.all(workers.map((worker) => once(worker, 'message')));
  if (way !== 'nothing') await everything;
  const { active } = performance.eventLoopUtilization(before);
  const time = Math.max(...reports.map(([report]) => report.time));
  return { worker: (time / count) * 1e6, connection: (active / awaited) * 1e6 };
}

function startWorker() {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (message) => {
    if (Array.isArray(message))
      for (const objectId of message) batcher.release(sessions.get(sessionKey), objectId);
    else batcher.release(sessions.get(message.sessionKey), message.objectId);
  });
  const workerData = { handle: port.handle, mutexRing, messages: port2, sessionKey };
  return new Worker(new URL('producer.mjs', import.meta.url), { workerData, transferList: [port2] });
}

async function popFromMutexRing(ring) {
  for (;;) {
    for (let release = ring.pop(); release !== undefined; release = ring.pop()) {
      batcher.release(sessions.get(release.sessionKey), release.objectId);
    }
    await new Promise(setImmediate);
    await ring.sleep();
  }
}

/** For each way: nanoseconds per id, and how many times as many as the ring took in the same round. */
function summaryOf(figures) {
  const summary = (way, what) => ({
    nanoseconds: spreadOf(figures[way].map((row) => row[what])),
    timesTheRing: spreadOf(figures[way].map((row, round) => row[what] / figures.ring[round][what])),
  });
  return Object.keys(figures).map((way) => ({
    way: WAYS[way],
    worker: summary(way, 'worker'),
    connection: summary(way, 'connection'),
  }));
}

function print({ name, ways }) {
  const rows = ways.map(({ way, worker, connection }) => [
    way,
    {
      worker: `${worker.nanoseconds.median.toFixed(0)} ns`,
      'of the ring': `${worker.timesTheRing.median.toFixed(1)} ×`,
      connection: `${connection.nanoseconds.median.toFixed(0)} ns`,
      "of the ring's": `${connection.timesTheRing.median.toFixed(1)} ×`,
    },
  ]);
  console.log(`\n${name}:`);
  console.table(Object.fromEntries(rows));
}
