// An application that its bundler makes CommonJS of, as for a serverless host, has no `import.meta.url` at run time.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { expect, it, onTestFinished } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';

it.each([
  '',
  '/puppeteer',
  '/session',
  '/playwright',
  '/chrome-remote-interface',
  '/node-inspector',
  '/single-flight',
  '/threads',
  '/testing',
])('cdp-release-batcher%s loads', async (entry) => {
  const main = join(PACKAGE, 'virtual-main.js');
  const bundle = await rolldown({
    input: main,
    platform: 'neutral',
    external: /^node:/,
    plugins: [
      {
        name: 'virtual-main',
        resolveId: (id) => (id === main ? id : undefined),
        load: (id) =>
          id === main
            ? `import * as all from 'cdp-release-batcher${entry}';\nconsole.log(Object.keys(all).length > 0);`
            : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'cjs' });
  expect(output).toHaveLength(1);
  const code = (output[0] as OutputChunk).code;
  const folder = await mkdtemp(join(tmpdir(), 'bundled-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { stdout, stderr } = await runScript(code, { folder, type: 'commonjs' });
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('true');
});
