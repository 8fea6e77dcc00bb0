// The script that the README begins with, run as it stands there by somebody who has installed the two packages.
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { codeBlocks } from '../support/documents.ts';
import { PACKAGE, runScript } from '../support/script.ts';
import { sized } from '../support/sized.ts';

it('runs, and has most of what it forgot released', { timeout: 300_000 }, async () => {
  const script = (await codeBlocks('README.md')).find(({ language }) => language === 'js')?.text ?? '';
  expect(script).toContain('attach(browser)');
  const folder = await mkdtemp(join(tmpdir(), 'readme-script-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(PACKAGE, 'node_modules', 'puppeteer'), join(folder, 'node_modules', 'puppeteer'));
  await symlink(PACKAGE, join(folder, 'node_modules', 'cdp-release-batcher'));
  expect(script).toContain('20_000');
  const source = script
    .replace('puppeteer.launch()', 'puppeteer.launch(launchOptions)') // Which browser is here is no matter of the README's.
    .replace('20_000', sized('4_000', '20_000'));
  // Nothing of so few handles gets old enough to be collected by itself: there each collection is a whole one.
  const execArgv = sized(['--gc-global'], []);
  const { code, stdout, stderr } = await runScript(source, { folder, execArgv, timeoutMs: 280_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, released, minted] = /^(\d+) of (\d+) handles released$/m.exec(stdout) ?? [];
  expect(Number(released)).toBeGreaterThan(Number(minted) / 2);
});
