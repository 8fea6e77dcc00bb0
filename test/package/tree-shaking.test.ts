// What an application does not use of the package, its bundler can leave out.
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import { PACKAGE } from '../support/script.ts';

async function bundled(source: string): Promise<string> {
  const entry = join(PACKAGE, 'virtual-entry.js');
  const bundle = await rolldown({
    input: entry,
    external: /^node:/,
    plugins: [
      {
        name: 'virtual-entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? source : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm' });
  return output.map((chunk) => (chunk as OutputChunk).code).join('\n');
}

it.each([
  '',
  '/puppeteer',
  '/session',
  '/playwright',
  '/chrome-remote-interface',
  '/node-inspector',
  '/single-flight',
  '/threads',
])('nothing used of cdp-release-batcher%s leaves nothing', async (entry) => {
  expect(await bundled(`import * as all from 'cdp-release-batcher${entry}'; void all;`)).not.toMatch(
    /class|function|new /,
  );
});

it('a small name does not bring the others', async () => {
  const guard = await bundled(
    "import { guardInFlight } from 'cdp-release-batcher/single-flight'; console.log(guardInFlight);",
  );
  expect(guard).toContain('guardInFlight');
  for (const other of ['LazySlot', 'SingleFlightCache', 'createInitLock']) expect(guard).not.toContain(other);

  const batcher = await bundled(
    "import { ReleaseBatcher } from 'cdp-release-batcher'; console.log(ReleaseBatcher);",
  );
  expect(batcher).toContain('ReleaseBatcher');
  for (const other of ['SessionLedger', 'PerformanceObserver', 'createInitLock'])
    expect(batcher).not.toContain(other);
});

it('the module hooks are kept, though nothing is imported of them', async () => {
  expect(await bundled("import 'cdp-release-batcher/register';")).toContain('_load');
});
