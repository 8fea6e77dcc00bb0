// Where no frame is the program's own, the library that calls is named by its place; and a program whose first file cannot be
// found, as one that was deleted as it ran, is known all the same.
import { runInThisContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { type Caller, callerOf, callingLine } from '../../src/observe/calling-line.ts';

test('a library that calls by itself', async () => {
  const filename = '/project/node_modules/library/index.js';
  const later = runInThisContext('(ask, resolve) => {\n  setTimeout(() => resolve(ask()));\n}', { filename });
  const caller = await new Promise<Caller>((resolve) => later(callerOf, resolve));
  expect(caller).toMatchObject({ line: `${filename}:2:28`, isProgram: true });
});

test('a program whose first file is gone', () => {
  const [, script = ''] = process.argv;
  onTestFinished(() => {
    process.argv[1] = script;
  });
  process.argv[1] = '/nowhere/at/all.mjs';
  expect(callingLine()).toMatch(/a-caller-outside-the-program\.test\.ts:\d+:\d+$/);
});
