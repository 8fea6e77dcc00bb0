// What the script's threads tell the doctor comes whole, though they write at once, into a pipe that is full, or after one
// of them was terminated as it wrote; and a doctor that does not read holds no script up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { type Message, MessageReader, type Sample, writeMessage } from '../../src/cli/doctor/messages.ts';
import { endsWithTest } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const MESSAGES = pathToFileURL(join(PACKAGE, 'dist/cli/doctor/messages.js')).href;

/** A process that writes to its fourth descriptor, which is that of a pipe. */
function start(source: string) {
  const child = spawn(process.execPath, ['--input-type', 'module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  endsWithTest(child);
  return { child, printed: child.stdout as Readable, pipe: child.stdio[3] as Readable };
}

const ORDER = '{ descriptor: 3, writing: new SharedArrayBuffer(4) }';
/** To this process a pipe that is full is an error, EAGAIN: as where the script has opened it itself. */
const WITHOUT_WAITING = "import { Socket } from 'node:net'; new Socket({ fd: 3 }).unref();";

it.each([
  ['waits for room in the pipe', ''],
  ['is told that there is none', WITHOUT_WAITING],
])('threads that write at once do not mix, where writing %s', async (_, prelude) => {
  const thread = `
    import('${MESSAGES}').then(({ writeMessage }) => {
      const { order, thread } = require('node:worker_threads').workerData;
      const filler = String(thread).repeat(300_000);
      for (let elapsedMs = 0; elapsedMs < 20; elapsedMs++) writeMessage(order, { thread, elapsedMs, filler });
    });`;
  const { child, pipe } = start(`
    ${prelude}
    import { Worker } from 'node:worker_threads';
    const order = ${ORDER};
    const source = ${JSON.stringify(thread)};
    for (const thread of [1, 2, 3]) new Worker(source, { eval: true, execArgv: [], workerData: { order, thread } });`);
  const times = new Map<number, number[]>();
  const reader = new MessageReader((message) => {
    const { thread, elapsedMs, filler } = message as Sample & { filler: string };
    expect(filler === String(thread).repeat(300_000)).toBe(true);
    times.set(thread, [...(times.get(thread) ?? []), elapsedMs]);
  });
  pipe.setEncoding('utf8').on('data', reader.read);
  await once(child, 'close');
  const all = Array.from({ length: 20 }, (_, index) => index);
  expect([...times].sort()).toEqual([
    [1, all],
    [2, all],
    [3, all],
  ]);
});

it('one that nobody reads is given up', async () => {
  const { child, printed, pipe } = start(`
    ${WITHOUT_WAITING}
    const { writeMessage } = await import('${MESSAGES}');
    writeMessage(${ORDER}, { filler: 'x'.repeat(3_000_000) });
    console.log('over');
    process.exit();`);
  const [text] = (await once(printed.setEncoding('utf8'), 'data')) as [string];
  expect(text).toBe('over\n');
  pipe.resume();
  await once(child, 'close');
});

it('a turn that was never given back is taken, and given back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-messages-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'messages');
  const descriptor = openSync(file, 'w');
  const writing = new SharedArrayBuffer(4);
  const turn = new Int32Array(writing);
  turn[0] = 1; // By a thread that is no more.
  const message: Message = { kind: 'sample', thread: 0, elapsedMs: 1, live: 2, heapBytes: 3 };
  writeMessage({ descriptor, writing, startedAt: 0, everyMs: undefined }, message);
  closeSync(descriptor);
  expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(message)}\n`);
  expect(turn[0]).toBe(0);
});
