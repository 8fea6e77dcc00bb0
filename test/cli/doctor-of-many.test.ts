// The doctor with each Puppeteer, in threads, and over engines that launch it themselves: what their known lines leave is
// found, all of it, and nothing is invented.
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacking } from '../support/lacking.ts';
import { PACKAGE } from '../support/script.ts';
import { examine, found, known, SCRIPTS } from './examined.ts';

describe.each(['puppeteer-core-22', 'puppeteer-core-23', 'puppeteer-core-24', 'rebrowser-puppeteer-core'])(
  'with %s',
  { timeout: 240_000 },
  (version) => {
    /** The scripts, where this version goes by the name of `puppeteer-core`. */
    async function scripts(): Promise<string> {
      const folder = await mkdtemp(join(tmpdir(), 'doctor-versions-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      await mkdir(join(folder, 'node_modules'));
      await symlink(join(PACKAGE, 'node_modules', version), join(folder, 'node_modules', 'puppeteer-core'));
      await cp(join(PACKAGE, SCRIPTS), folder, { recursive: true });
      return folder;
    }

    it('handles that are forgotten', async () => {
      const { report, exitCode } = await examine(join(await scripts(), 'forgotten.mjs'));
      expect(exitCode).toBe(0);
      expect(found(report.leaks)).toEqual(await known('leaks', 'forgotten.mjs'));
      expect(found(report.thrown)).toEqual({});
    });

    it('a farm', async () => {
      const { report, exitCode } = await examine(join(await scripts(), 'farm.mjs'));
      expect(exitCode).toBe(0);
      expect(found(report.leaks)).toEqual(await known('leaks', 'farm.mjs', 'farm-parser.mjs'));
      expect(found(report.thrown)).toEqual(await known('throws', 'farm.mjs'));
    });

    // It never asks for console messages, so that none of them comes.
    const noConsole = version.startsWith('rebrowser') ? 'rebrowser hears of no console message' : undefined;
    it('what is thrown and logged', lacking(noConsole), async () => {
      const { report, exitCode } = await examine(join(await scripts(), 'thrown-and-logged.cjs'));
      expect(exitCode).toBe(0);
      expect(found(report.leaks)).toEqual({});
      expect(found(report.thrown)).toEqual(await known('throws', 'thrown-and-logged.cjs'));
      expect(found(report.console)).toEqual(await known('logs', 'thrown-and-logged.cjs'));
    });
  },
);

it.each(['cluster.mjs', 'extra.mjs', 'crawlee.mjs'])('%s', { timeout: 240_000 }, async (script) => {
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
