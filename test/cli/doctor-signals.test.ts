// A signal reaches the script that the doctor looks at as it would without the doctor: once, whoever was sent it, and
// though the script is busy.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endsWithTest } from '../support/processes.ts';
import { sized } from '../support/sized.ts';
import { MAIN } from './command-line.ts';
import { type StartedDoctor, startDoctor } from './started.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-signals-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function started(source: string, options = {}): Promise<StartedDoctor> {
  const file = join(folder, `script-${Math.random()}.mjs`);
  await writeFile(file, source);
  const run = startDoctor([file], options);
  await run.prints('ready');
  return run;
}

/** Ends in its own time at the first signal, and at once at the second. */
const graceful = (signal: string): string => `
  let count = 0;
  process.on('${signal}', () => {
    if (++count > 1) process.exit(99);
    setTimeout(() => process.exit(7), 1_000);
  });
  setInterval(() => {}, 1_000);
  console.log('ready');`;

const SIGNALS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
];

/** In `npm test` each stands for the others once. */
it.each(sized(SIGNALS.slice(0, 1), SIGNALS))(
  '%s ends a script that never comes to listen',
  async (signal, code) => {
    const run = await started("console.log('ready'); for (;;) {}");
    run.child.kill(signal);
    expect(await run.exited).toBe(code);
    expect(run.printed()).toContain(`was ended by ${signal}`);
  },
);

it.each(sized(SIGNALS.slice(1, 2), SIGNALS))('%s to the whole group comes once', async (signal) => {
  const run = await started(graceful(signal), { isGroup: true });
  process.kill(-(run.child.pid ?? Number.NaN), signal);
  expect(await run.exited).toBe(7);
});

it.each(sized(SIGNALS.slice(2), SIGNALS))(
  '%s to the doctor alone comes once, and a second one comes, too',
  async (signal) => {
    const run = await started(graceful(signal));
    run.child.kill(signal);
    expect(await run.exited).toBe(7);
    const other = await started(`${graceful(signal)} process.on('${signal}', () => console.log('came'));`);
    other.child.kill(signal);
    await other.prints('came');
    other.child.kill(signal);
    expect(await other.exited).toBe(99);
  },
);

it('a listener that was taken away does not keep the script', async () => {
  const run = await started(`
    const listener = () => {};
    process.on('SIGTERM', listener).off('SIGTERM', listener);
    setInterval(() => {}, 1_000);
    console.log('ready');`);
  run.child.kill('SIGTERM');
  expect(await run.exited).toBe(143);
});

it('the script sees no listener but its own', async () => {
  const run = await started(`
    process.on('SIGTERM', () => {});
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'newListener'];
    console.log('listeners', ...names.map((name) => process.listenerCount(name)), 'ready');`);
  await run.exited;
  const plain = spawn(process.execPath, ['-e', "console.log(process.listenerCount('newListener'))"]);
  endsWithTest(plain);
  const [count] = (await new Promise((resolve) => plain.stdout.once('data', (data) => resolve([data])))) as [
    Buffer,
  ];
  expect(run.printed()).toContain(`listeners 0 1 0 ${String(count).trim()} ready`);
});

it('a pipe that nobody reads any more ends nothing with an error', async () => {
  const file = join(folder, 'ends.mjs');
  await writeFile(file, 'process.exitCode = 3;');
  const child = spawn(process.execPath, [MAIN, 'doctor', '--json', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  endsWithTest(child);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(3);
  expect(stderr).toBe('');
});

it('a report that cannot be written is told before the script runs', async () => {
  const file = join(folder, 'runs.mjs');
  await writeFile(file, "console.log('it ran');");
  const run = startDoctor(['--html', join(folder, 'nowhere', 'report.html'), file]);
  expect(await run.exited).toBe(2);
  expect(run.printed()).toContain('report.html cannot be written');
  expect(run.printed()).not.toContain('it ran');
});

it('a report that cannot be written after all costs neither the exit code nor the rest', async () => {
  const report = join(folder, 'report.html');
  const file = join(folder, 'hinders.mjs');
  const source = `import { mkdirSync } from 'node:fs'; mkdirSync(${JSON.stringify(report)}); process.exitCode = 5;`;
  await writeFile(file, source);
  const run = startDoctor(['--html', report, file]);
  expect(await run.exited).toBe(5);
  expect(run.printed()).toContain('ended with code 5');
  expect(run.printed()).toContain('report.html cannot be written');
});

it('a script is found as Node finds it', async () => {
  await writeFile(join(folder, 'named.js'), "console.log('it ran');");
  const run = startDoctor([join(folder, 'named')]);
  expect(await run.exited).toBe(2); // It had no browser.
  expect(run.printed()).toContain('it ran');
});
