// What must hold with every Puppeteer, browser and runtime that people have: a plain script with node:assert, so that
// Bun and Deno can run it too. PUPPETEER names the package, BROWSER a Chromium (`@sparticuz/chromium`, or a path; by
// default the one that the demo would take), CHECKS those that are wanted, as a list in JSON. It prints one line of JSON: the outcome of each check.
import { checks } from './checks.mjs';
import { describeRuntime, launchWith } from './setting.mjs';

const { PUPPETEER = 'puppeteer-core', BROWSER, CHECKS } = process.env;
const wanted = JSON.parse(CHECKS ?? 'null') ?? Object.keys(checks);
const CHECK_TIMEOUT_MS = 100_000;

const outcomes = {};
const { browser, wrap, close } = await launchWith(PUPPETEER, BROWSER);
for (const name of wanted) {
  outcomes[name] = await outcomeOf(() => checks[name](browser, wrap));
}
const version = await browser.version();
await close();
console.log(JSON.stringify({ ...describeRuntime(PUPPETEER), browser: version, outcomes }));

/** `passed`, or why not. A Puppeteer that lacks what a check is about says so; that is no failure of ours. */
async function outcomeOf(check) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return 'passed';
  } catch (error) {
    const reason = String(error?.message ?? error).split('\n')[0];
    return error?.name === 'NotThere' ? `not there: ${reason}` : `failed: ${reason}`;
  } finally {
    clearTimeout(timer);
  }
}
