// What is the script's is told as the script's, by whichever way it came, whatever the function is called that asked for
// it, and however its thread or process ended.
import { expect, it } from 'vitest';
import { examine, found, known, SCRIPTS } from './examined.ts';

it('handles that reach the script by ways of their own', { timeout: 90_000 }, async () => {
  const { report, exitCode, stderr } = await examine(`${SCRIPTS}/whose.mjs`);
  expect(exitCode, stderr).toBe(0);
  expect(found(report.leaks)).toEqual({
    ...(await known('leaks', 'whose.mjs')),
    'step.js:1 map': 1,
    'evalmachine.<anonymous>:1 map': 1,
  });
});

it('those of a thread that is terminated', { timeout: 90_000 }, async () => {
  const { report } = await examine(`${SCRIPTS}/threads-terminated.mjs`);
  expect(report).toMatchObject({ exitCode: 0, browsers: 1, leaked: 3 });
  expect(found(report.leaks)).toEqual(await known('leaks', 'threads-terminated.mjs'));
});

it('those of a script that is killed at once', { timeout: 90_000 }, async () => {
  const { report, exitCode } = await examine(`${SCRIPTS}/killed.mjs`);
  expect(exitCode).toBe(137);
  expect(report).toMatchObject({ signal: 'SIGKILL', leaked: 2 });
  expect(found(report.leaks)).toEqual(await known('leaks', 'killed.mjs'));
});
