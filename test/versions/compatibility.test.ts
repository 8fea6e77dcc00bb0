/** What must hold with every Puppeteer, here for all that are installed, on this Node; `npm run versions` has the rest. */
import { expect, it } from 'vitest';
import { sized } from '../support/sized.ts';
import { runCompatibility } from './run-compatibility.ts';

/** rebrowser never sends `Runtime.enable`, without which no console message arrives. */
const WITHOUT_CONSOLE = new Set(['rebrowser-puppeteer-core']);
const CONSOLE = ['console arguments', 'what a click did is there'];

/** The oldest, and one that is not Puppeteer's own; those between; and the newest, with which all else is tested. */
const VERSIONS = [
  ...['puppeteer-core-22', '@cloudflare/puppeteer'],
  ...sized([], ['puppeteer-core-23', 'puppeteer-core-24', 'puppeteer-core', 'rebrowser-puppeteer-core']),
];

it.each(VERSIONS)('all checks pass with %s', { timeout: 180_000 }, async (puppeteer) => {
  const { outcomes } = await runCompatibility(puppeteer);
  const others = Object.entries(outcomes).filter(([, outcome]) => outcome !== 'passed');
  const expected = WITHOUT_CONSOLE.has(puppeteer) ? CONSOLE : [];
  expect(others.map(([name, outcome]) => [name, outcome.replace(/:.*/, '')])).toEqual(
    expected.map((name) => [name, 'not there']),
  );
});

it('fails where nothing is collected', { timeout: 180_000 }, async () => {
  const checks = ['forget and collect', 'dispose by batch'];
  const { outcomes } = await runCompatibility('puppeteer-core', { exposesGc: 'no', checks });
  expect(outcomes['forget and collect']).toMatch(/^failed/);
  expect(outcomes['dispose by batch']).toBe('passed');
});
