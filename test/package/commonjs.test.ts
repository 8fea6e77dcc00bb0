// Programs that `require` the package get the same names as those that import it, and both may be in one process: a session
// has one owner then, too.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';

const manifest: { exports: Record<string, object> } = JSON.parse(
  await readFile(join(PACKAGE, 'package.json'), 'utf8'),
);
const entries = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .map((name) => `cdp-release-batcher${name.slice(1)}`);

it('every entry is required as it is imported', async () => {
  const { stdout, stderr } = await runScript(
    `const names = (module) => Object.keys(module).filter((name) => name !== 'default').sort();
     (async () => {
       const differing = [];
       for (const entry of ${JSON.stringify(entries)}) {
         const [required, imported] = [names(require(entry)), names(await import(entry))];
         if (String(required) !== String(imported)) differing.push([entry, required, imported]);
       }
       console.log(JSON.stringify(differing));
     })();`,
    { type: 'commonjs' },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([]);
});

it('a session that both attach to is served once', async () => {
  const { stdout, stderr } = await runScript(
    `import * as imported from 'cdp-release-batcher/session';
     import { createRequire } from 'node:module';
     const required = createRequire(process.cwd() + '/any.js')('cdp-release-batcher/session');
     const sent = [];
     const session = { on() {}, off() {}, send: async (method, params) => (sent.push(method), { result: { objectId: '1.1.' + sent.length } }) };
     const one = imported.attach(session, { track: true });
     const other = required.attach(session, { track: true });
     const { result } = await session.send('Runtime.evaluate', { expression: '({})' });
     await session.send('Runtime.releaseObject', { objectId: result.objectId });
     await one.flush();
     await other.flush();
     console.log(JSON.stringify({ isOne: one === other, sent, released: one.stats().released }));`,
  );
  expect(stderr).toBe('');
  const { isOne, sent, released } = JSON.parse(stdout) as {
    isOne: boolean;
    sent: string[];
    released: number;
  };
  expect({ isOne, released }).toEqual({ isOne: true, released: 1 });
  expect(sent.filter((method) => method.startsWith('Runtime.release'))).toHaveLength(1);
});

it('a CommonJS script is attached by --require as by --import', async () => {
  for (const flag of ['--require', '--import']) {
    const { stdout, stderr } = await runScript(
      `const puppeteer = require('puppeteer-core');
       (async () => {
         const browser = await puppeteer.launch(launchOptions);
         const page = await browser.newPage();
         const keys = Reflect.ownKeys(page._client()).filter((key) => key === 'send');
         console.log(keys.length);
         await browser.close();
       })();`,
      { type: 'commonjs', execArgv: [flag, 'cdp-release-batcher/register'] },
    );
    expect({ flag, stderr, stdout: stdout.trim() }).toEqual({ flag, stderr: '', stdout: '1' });
  }
});
