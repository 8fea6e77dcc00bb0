// Whichever of Puppeteer's public ways a handle comes by, from an object that there was before the body or one made in
// it: expectNoLeaks counts it. The ways are those of Puppeteer's own type declarations.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { PACKAGE } from '../support/script.ts';
import {
  HTML,
  membersThatGiveHandles,
  NO_WAYS,
  START_WORKER,
  SUBJECTS,
  WAYS,
  type Way,
} from '../support/ways-to-handles.ts';

const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...given: unknown[]) => Promise<unknown>;

function typesOf(name: string): string {
  return readFileSync(join(PACKAGE, 'node_modules', name, 'lib/types.d.ts'), 'utf8');
}

it.each(['puppeteer-core', 'puppeteer-core-24', 'puppeteer-core-23', 'puppeteer-core-22'])(
  'none of the ways that %s declares is missing here',
  (name) => {
    const declared = membersThatGiveHandles(typesOf(name));
    const known = new Set([...WAYS.map(({ member }) => member), ...Object.keys(NO_WAYS)]);
    expect([...declared].filter((member) => !known.has(member))).toEqual([]);
    expect(declared.size).toBeGreaterThan(20);
  },
);

it('each of the ways is one that is declared', () => {
  const declared = membersThatGiveHandles(typesOf('puppeteer-core'));
  for (const { member } of WAYS) expect(declared).toContain(member);
});

describe.each(PUPPETEERS)('with $name', ({ name, puppeteer }) => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
    page = await browser.newPage();
  });
  beforeEach(async () => {
    await page.setContent(HTML);
    const started =
      page.workers().length > 0 || new Promise((resolve) => page.once('workercreated', resolve));
    await page.evaluate(START_WORKER);
    await started;
  });
  const declared = membersThatGiveHandles(typesOf(`puppeteer-core${name.endsWith('24') ? '-24' : ''}`));
  const ways = WAYS.filter(({ member }) => declared.has(member));

  /** Asks, and disposes of what was given or does not. */
  function asks({ ask }: Way, end: 'dispose' | 'keep'): string {
    const each = end === 'dispose' ? 'await handle.dispose();' : 'keep.push(handle);';
    return `
      const given = await (${ask});
      for (const handle of typeof given.next === 'function' || Array.isArray(given) ? given : [given]) { ${each} }`;
  }

  it.each(ways)('$ask, of an object from before', async (way) => {
    const { from = 'none' } = way;
    const subject = await new AsyncFunction('page', `return ${SUBJECTS[from]?.get};`)(page);
    const keep: unknown[] = [];
    const body = new AsyncFunction('page', from, 'keep', asks(way, 'keep'));
    await expect(expectNoLeaks(page, () => body(page, subject, keep))).rejects.toMatchObject({
      actual: way.handles,
    });
    expect(keep).toHaveLength(way.handles);
    const careful = new AsyncFunction('page', from, asks(way, 'dispose'));
    await expectNoLeaks(page, () => careful(page, subject));
  });

  it.each(ways)('$ask, of an object from inside', async (way) => {
    const { from = 'none' } = way;
    const { get, dispose } = SUBJECTS[from] ?? { get: 'undefined', dispose: '' };
    const inside = (end: 'dispose' | 'keep') =>
      new AsyncFunction('page', 'keep', `const ${from} = ${get}; ${asks(way, end)} ${dispose}`);
    const keep: unknown[] = [];
    await expect(expectNoLeaks(page, () => inside('keep')(page, keep))).rejects.toMatchObject({
      actual: way.handles,
      leaks: expect.arrayContaining([expect.objectContaining({ kind: way.kind })]),
    });
    await expectNoLeaks(page, () => inside('dispose')(page, keep));
  });

  it.each(ways.filter(({ member }) => member.startsWith('Page.')))(
    '$ask, where nothing is tracked',
    async (way) => {
      using _ = attach(page, { track: false });
      const { from = 'none' } = way;
      const { get, dispose } = SUBJECTS[from] ?? { get: 'undefined', dispose: '' };
      const inside = (end: 'dispose' | 'keep') =>
        new AsyncFunction('page', 'keep', `const ${from} = ${get}; ${asks(way, end)} ${dispose}`);
      const keep: unknown[] = [];
      await expect(expectNoLeaks(page, () => inside('keep')(page, keep))).rejects.toMatchObject({
        actual: way.handles,
      });
      await expectNoLeaks(page, () => inside('dispose')(page, keep));
      await expectNoLeaks(page, async () => {
        await inside('keep')(page, keep);
        await page.goto('about:blank'); // What goes with its page needs no disposal.
      });
    },
  );
});
