// The script that rows run: it forgets 50 handles, and asks the page how many of their objects are alive after a while. It
// needs `puppeteer` (or Playwright's `chromium`, by the same name), and runs with Node's `--expose-gc`.

/** How long it waits for the last one to be let go of. */
const PATIENCE_MS = 30_000;

/** A function `main(launcher, attachTo)`; `attachTo` may be `undefined`. Its text has no imports, so it fits anywhere. */
export const MAIN = `
const forget = async (page) => { for (let count = 0; count < 50; count++) await page.evaluateHandle(() => mk()); };
const main = async (launcher, attachTo) => {
  const { executablePath, headless, args, env } = JSON.parse(process.env.MATRIX_LAUNCH);
  const browser = await launcher.launch({ executablePath, headless, args, env });
  const releases = attachTo === undefined ? undefined : attachTo(browser);
  const page = await browser.newPage();
  const meter = page.context ? await page.context().newCDPSession(page) : await page.target().createCDPSession();
  const evaluate = async (expression) => (await meter.send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  await evaluate('globalThis.refs = []; globalThis.mk = () => { const object = { big: new Array(1000).fill(1) }; refs.push(new WeakRef(object)); return object; }; 1');
  await forget(page);
  let alive;
  const deadline = Date.now() + Number(process.env.MATRIX_PATIENCE_MS || ${PATIENCE_MS});
  while (alive !== 0 && Date.now() < deadline) {
    globalThis.gc();
    await page.evaluate('1');
    await meter.send('HeapProfiler.collectGarbage');
    alive = await evaluate('refs.filter((ref) => ref.deref()).length');
  }
  const lines = releases === undefined ? undefined : releases.leaks().map(({ line }) => line);
  await browser.close();
  return { alive, lines };
};
`;

/** Where nothing is attached, the wait has no point. */
export const PLAIN = { MATRIX_PATIENCE_MS: '500' };

const END = `.then((result) => console.log('RESULT ' + JSON.stringify(result)), (error) => { console.error(error); process.exit(1); });\n`;

/** @param getting statements that bring `puppeteer`. */
const scriptOf = (getting) => `${getting}\n${MAIN}\nmain(puppeteer)${END}`;

const REGISTER = ['--import', 'cdp-release-batcher/register'];

/**
 * A row whose script is run as it is, and with `register`.
 *
 * @param getting statements that bring `puppeteer`: the script's text, but for what all have.
 * @param ending of the script's name, by which Node knows what it is.
 * @param files that stand beside the script.
 * @param node Node's arguments, beside those of `register`; `preload` has the latter where they are others.
 */
export function registerRow(row) {
  const {
    name,
    packages,
    getting,
    ending,
    files = {},
    node = [],
    preload = REGISTER,
    expected = 'attached',
  } = row;
  const script = `scrape-${name.replaceAll(/\W+/g, '-')}.${ending}`; // Rows with the same packages share a folder.
  return {
    name,
    packages,
    files: { ...files, [script]: scriptOf(getting) },
    expected,
    plain: ['node', '--expose-gc', ...node, script],
    attached: ['node', '--expose-gc', ...preload, ...node, script],
    env: { plain: PLAIN, attached: expected === 'attached' ? {} : PLAIN },
  };
}
