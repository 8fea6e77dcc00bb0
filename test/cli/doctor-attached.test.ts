// What a script forgets is counted where the script is attached, too; but the doctor says that it is released there.
import { expect, it } from 'vitest';
import { examine, SCRIPTS } from './examined.ts';

it('tells browsers that the script attaches to from those that only the doctor attaches to', async () => {
  const { report } = await examine(`${SCRIPTS}/attached.mjs`, 'attached', 'plain');
  expect(report).toMatchObject({ browsers: 2, attached: 1, leaked: 4 });
});

it('knows attach of Playwright', async () => {
  const { report } = await examine(`${SCRIPTS}/attached-playwright.mjs`);
  expect(report).toMatchObject({ browsers: 1, attached: 1, leaked: 2 });
});

it('knows register', async () => {
  const register = '--node-option=--import=cdp-release-batcher/register';
  const { report } = await examine(register, `${SCRIPTS}/attached.mjs`, 'plain');
  expect(report).toMatchObject({ browsers: 1, attached: 1, leaked: 2 });
});
