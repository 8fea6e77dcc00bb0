import { expect, test } from 'vitest';
import { killWithDescendants, runNode } from './processes.ts';

test('what a process has started is killed with it, though it is in a group of its own', async () => {
  const source = `
    require('node:child_process').spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1e6)'], {
      detached: true,
      stdio: ['ignore', 'inherit', 'ignore'], // While it is there, the run is not over.
    });
    console.log('started');
    setInterval(() => {}, 1e6);`;
  const onPrinted = (_: string, child: Parameters<typeof killWithDescendants>[0]) =>
    killWithDescendants(child);
  const run = await runNode(['--eval', source], { onPrinted });
  expect(run).toEqual({ code: null, signal: 'SIGKILL', stdout: 'started\n', stderr: '' });
});

test('a process that takes longer than it may is killed', async () => {
  const run = await runNode(['--eval', 'setInterval(() => {}, 1e6)'], { timeoutMs: 100 });
  expect(run).toMatchObject({ code: null, signal: 'SIGKILL' });
});
