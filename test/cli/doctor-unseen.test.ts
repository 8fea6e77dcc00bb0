// The script that the doctor looks at behaves as it would alone: it sees none of the doctor's means, its own listeners
// decide what a signal does, and it goes on when the doctor is gone.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacking } from '../support/lacking.ts';
import { endsWithTest } from '../support/processes.ts';
import { MAIN, runCommandLine } from './command-line.ts';
import { startDoctor } from './started.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-unseen-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function script(name: string, source: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, source);
  return file;
}

it('finds no word of it in its environment, nor do its children, and no gc() that it did not ask for', async () => {
  const file = await script(
    'looks.mjs',
    `import { fork } from 'node:child_process';
    import { once } from 'node:events';
    import { runInNewContext } from 'node:vm';
    const looks = () => [Object.keys(process.env).some((name) => /doctor/i.test(name)), typeof gc, runInNewContext('typeof gc')];
    if (process.argv[2] === 'child') {
      process.send(looks());
    } else {
      process.on('SIGUSR2', async () => { // The doctor has listened before, and collected garbage.
        const child = fork(process.argv[1], ['child']);
        const [said] = await once(child, 'message');
        await once(child, 'exit');
        clearInterval(waits);
        console.log(JSON.stringify([looks(), said]));
      });
      const waits = setInterval(() => {}, 1_000);
      process.kill(process.pid, 'SIGUSR2');
    }`,
  );
  const { stdout, exitCode } = await runCommandLine(['doctor', file]);
  const nothing = [false, 'undefined', 'undefined'];
  expect(JSON.parse(stdout)).toEqual([nothing, nothing]);
  expect(exitCode).toBe(2); // It had no browser.
});

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

it.each(SIGNALS)('is ended by %s where it does not listen', async (signal, code) => {
  const file = await script('waits.mjs', "console.log('ready'); setInterval(() => {}, 1_000);");
  const run = startDoctor(['--json', file]);
  await run.prints('ready');
  run.child.kill(signal);
  expect(await run.exited).toBe(code);
  const [report] = run.reports();
  expect(report).toMatchObject({ signal, occasion: 'end' });
  expect(report?.elapsedMs).toBeGreaterThan(0); // Told by the script's own process, not supposed.
});

it.each(SIGNALS)('ends in its own way at %s where it does', async (signal) => {
  const file = await script(
    'listens.mjs',
    `const waits = setInterval(() => {}, 1_000);
    process.on('${signal}', () => {
      process.exitCode = 9;
      clearInterval(waits);
    });
    console.log('ready');`,
  );
  const run = startDoctor([file]);
  await run.prints('ready');
  run.child.kill(signal);
  expect(await run.exited).toBe(9);
  expect(run.printed()).toContain('ended with code 9');
});

it('goes on when the doctor has been killed, and says nothing of it', async () => {
  const file = await script(
    'survives.mjs',
    `const doctor = process.ppid;
    console.log('ready');
    process.once('SIGUSR2', () => { // The doctor has listened before, and told nobody.
      console.log('survived');
      process.on('exit', () => console.log('ended')); // As above.
      clearInterval(waits);
    });
    const waits = setInterval(() => {
      if (process.ppid !== doctor) process.kill(process.pid, 'SIGUSR2');
    }, 10);`,
  );
  const run = startDoctor([file]);
  await run.prints('ready');
  run.child.kill('SIGKILL');
  await run.exited;
  expect(run.printed()).toBe('ready\nsurvived\nended\n');
});

function hasTerminals(): boolean {
  try {
    return execFileSync('script', ['-qec', 'echo works', '/dev/null'], { encoding: 'utf8' }).includes(
      'works',
    );
  } catch {
    return false;
  }
}

// `script` of util-linux gives a terminal to what it runs.
const noTerminal = hasTerminals() ? undefined : 'no `script` of util-linux is installed';
describe('on a terminal', lacking(noTerminal), () => {
  it.each<[string, (terminal: ChildProcess, doctorPid: number) => unknown]>([
    ['a Ctrl-C, which the terminal has sent to both,', (terminal) => terminal.stdin?.write('\u0003')],
    ['a SIGINT that was sent to the doctor alone', (_, doctorPid) => process.kill(doctorPid, 'SIGINT')],
  ])('%s comes once', async (_, interrupt) => {
    const file = await script(
      'counts.mjs',
      `let interrupts = 0;
      process.on('SIGINT', () => {
        interrupts++;
        if (interrupts === 1) process.kill(process.ppid, 'SIGTERM'); // Passed on behind a SIGINT, if one is.
      });
      process.on('SIGTERM', () => process.exit(10 + interrupts));
      console.log('started by ' + process.ppid + '.');
      setInterval(() => {}, 1_000);`,
    );
    const command = [process.execPath, MAIN, 'doctor', file].map((word) => `'${word}'`).join(' ');
    // `exec`: a shell that waits would be interrupted too, and some (dash) then end with their own code.
    const terminal = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    endsWithTest(terminal);
    const code = await new Promise((resolve) => {
      let printed = '';
      let isInterrupted = false;
      terminal.stdout.on('data', (chunk: Buffer) => {
        printed += chunk;
        const [, doctorPid] = /started by (\d+)\./.exec(printed) ?? [];
        if (doctorPid === undefined || isInterrupted) return;
        isInterrupted = true;
        interrupt(terminal, Number(doctorPid));
      });
      terminal.once('close', resolve);
    });
    expect(code).toBe(11);
  });
});
