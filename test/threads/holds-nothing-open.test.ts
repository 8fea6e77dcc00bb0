/** A pending `Atomics.waitAsync` does not keep a process alive; nor may anything else of a port. */
import { expect, test } from 'vitest';
import { runNode } from '../support/processes.ts';

/** What it prints; it has to end by itself. */
async function printed(script: string): Promise<string> {
  const args = ['--input-type=module', '--eval', PRELUDE + script];
  const { stdout, ...rest } = await runNode(args, { timeoutMs: 110_000 });
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  return stdout;
}

const THREADS = new URL('../../dist/threads/index.js', import.meta.url).href;

test('a process with an open port, asleep, ends by itself', async () => {
  expect(await printed('open();')).toBe('');
});

test('so does one with releases on their way, and a drain at the end has them', async () => {
  const script = `
    const { port, worker, key } = open();
    for (const id of ['1', '2', 'x'.repeat(99)]) worker.release(key, id);
    process.on('exit', () => { port.drain(); console.log('received', port.stats().received); });`;
  expect(await printed(script)).toBe('received 3\n');
});

test('so does a worker that is connected', async () => {
  const script = `
    import { Worker } from 'node:worker_threads';
    const { port, key } = open();
    const code = \`import { workerData } from 'node:worker_threads';
      const { connectReleasePort } = await import('${THREADS}');
      const { handle, key } = workerData;
      const port = connectReleasePort(handle);
      port.release(key, '1');
      port.release(key, 'x'.repeat(99));\`;
    const url = new URL('data:text/javascript,' + encodeURIComponent(code));
    new Worker(url, { workerData: { handle: port.handle, key } }).on('exit', (code) => { port.drain(); console.log('exit', code, port.stats().received); });`;
  expect(await printed(script)).toBe('exit 0 2\n');
});

test('the ring alone wakes the port: it needs no other event of the process', async () => {
  const script = `
    import { Worker } from 'node:worker_threads';
    let received = 0;
    const done = (worker) => console.log('received', received, worker.terminate() && '');
    const port = openReleasePort({ release: () => (++received === 200_000 && done(worker), true) }, { stallTimeoutMs: 1e9 });
    const code = \`import { workerData } from 'node:worker_threads';
      const { connectReleasePort } = await import('${THREADS}');
      const port = connectReleasePort(workerData.handle);
      for (let id = 0; id < 200_000; id++) while (!port.release(workerData.key, String(id)));
      setInterval(() => {}, 1e9);\`;
    const url = new URL('data:text/javascript,' + encodeURIComponent(code));
    const worker = new Worker(url, { workerData: { handle: { ...port.handle, whenFull: 'refuse' }, key: port.keyOf({}) } });`;
  expect(await printed(script)).toMatch(/^received 200000/);
});

const PRELUDE = `
  import { connectReleasePort, openReleasePort } from '${THREADS}';
  function open() {
    const port = openReleasePort({ release: () => true });
    return { port, worker: connectReleasePort(port.handle), key: port.keyOf({}) };
  }`;
