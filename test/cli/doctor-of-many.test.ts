// The doctor with each Puppeteer, in threads, and over engines that launch it themselves: what their known lines leave is
// found, all of it, and nothing is invented.
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PACKAGE } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { examine, found, known, SCRIPTS } from './examined.ts';

/** By the oldest; between it and the newest, of which doctor.test.ts tells; and by one that is not Puppeteer's own. */
const VERSIONS = [
  'puppeteer-core-22',
  ...sized([], ['puppeteer-core-23', 'puppeteer-core-24', 'rebrowser-puppeteer-core']),
];
const ENGINES = ['cluster.mjs', ...sized([], ['extra.mjs', 'crawlee.mjs'])];

it.each(VERSIONS)('with %s', { timeout: 240_000 }, async (version) => {
  // The scripts, where this version goes by the name of `puppeteer-core`; one process runs them all.
  const folder = await mkdtemp(join(tmpdir(), 'doctor-versions-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(PACKAGE, 'node_modules', version), join(folder, 'node_modules', 'puppeteer-core'));
  await cp(join(PACKAGE, SCRIPTS), folder, { recursive: true });
  // It never asks for console messages, so that none of them comes, and the script for them ends with 7.
  const hasConsole = !version.startsWith('rebrowser');
  const scripts = [
    'forgotten.mjs',
    ...sized([], ['farm.mjs']),
    ...(hasConsole ? ['thrown-and-logged.cjs'] : []),
  ];
  await writeFile(join(folder, 'all.mjs'), scripts.map((name) => `await import('./${name}');`).join('\n'));

  const { report, exitCode, stderr } = await examine(join(folder, 'all.mjs'));
  expect(exitCode, stderr).toBe(0);
  expect(report).toMatchObject({ browsers: scripts.length });
  expect(found(report.leaks)).toEqual(await known('leaks', ...scripts, ...sized([], ['farm-parser.mjs'])));
  expect(found(report.thrown)).toEqual(await known('throws', ...scripts));
  expect(found(report.console)).toEqual(await known('logs', ...scripts));
});

it.each(ENGINES)('%s', { timeout: 240_000 }, async (script) => {
  const { report, exitCode, stderr } = await examine(`${SCRIPTS}/${script}`);
  expect(exitCode, stderr).toBe(0);
  expect(found(report.leaks)).toEqual(await known('leaks', script));
  expect(found(report.thrown)).toEqual(await known('throws', script));
});

it('threads of the script, each with a browser of its own', { timeout: 240_000 }, async () => {
  const { report, exitCode, stderr } = await examine(`${SCRIPTS}/threads.mjs`);
  expect(exitCode, stderr).toBe(6); // What the threads exit with.
  expect(report).toMatchObject({ browsers: 3, leaked: 9, occasion: 'end' });
  expect(found(report.leaks)).toEqual(await known('leaks', 'threads.mjs', 'threads-worker.mjs'));
});
