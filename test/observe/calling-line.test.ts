// Which line is named as the one that calls: the innermost of the program's own, where it was written.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callingLine } from '../../src/observe/calling-line.ts';
import { PACKAGE, runScript } from '../support/script.ts';

const BUILT = pathToFileURL(join(PACKAGE, 'build/observe/calling-line.js')).href;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calling-line-'));
  await mkdir(join(folder, 'node_modules', 'library'), { recursive: true });
  await writeFile(
    join(folder, 'node_modules', 'library', 'index.mjs'),
    `import { callingLine } from '${BUILT}';\nexport const ask = () => callingLine();\n`,
  );
  // The fourth line is line 42 of what was written: up to its eighth column the fifth there, from the ninth on the tenth.
  const map = { version: 3, sources: ['written.ts'], names: [], mappings: ';;;AAyCI,QAAK' };
  await writeFile(
    join(folder, 'mapped.mjs'),
    `import { callingLine } from '${BUILT}';


 print(callingLine());
function print(line) { console.log(line); }
${'//'}# sourceMappingURL=mapped.mjs.map
`,
  );
  await writeFile(join(folder, 'mapped.mjs.map'), JSON.stringify(map));
});
afterAll(() => rm(folder, { recursive: true }));

async function printed(source: string, ...execArgv: string[]): Promise<string> {
  // While Node notes what is run, for coverage, it takes in source maps unasked.
  const env = { NODE_V8_COVERAGE: '' };
  const { stdout, stderr } = await runScript(source, { folder, execArgv, env });
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('the line is', () => {
  it('the one that calls', () => {
    const ask = (): string => callingLine();
    expect(ask()).toMatch(/calling-line\.test\.ts:\d+:\d+$/);
  });

  // Some Nodes format stacks by source maps themselves, and are asked as any formatter is; others are asked for the map.
  it.each([
    ['where Node formats stacks by it', ''],
    ['where nobody formats stacks', 'Error.prepareStackTrace = undefined;'],
  ])('by the source map, %s', async (_name, before) => {
    const line = await printed(`${before} await import('./mapped.mjs');`, '--enable-source-maps');
    expect(line).toMatch(/written\.ts:42:5$/);
  });

  it('the one that runs where it has none', async () => {
    expect(await printed("await import('./mapped.mjs');")).toMatch(/mapped\.mjs:4:\d+$/);
  });

  it('that of the program, not of the library that it goes through', async () => {
    const source = `import { ask } from './node_modules/library/index.mjs';\n\nconsole.log(ask());`;
    expect(await printed(source)).toMatch(/script\.mjs:4:\d+$/);
  });

  it('unknown where nothing of the program is on the stack', async () => {
    const source = `import { ask } from './node_modules/library/index.mjs';
      setTimeout(Function.prototype.call.bind(process.stdout.write, process.stdout), 0, 'library alone: ');
      Promise.resolve().then(ask).then(console.log);`;
    expect(await printed(source)).toContain('unknown');
  });

  it('what a formatter of stacks says, who compiles on the fly; and the one that runs where it fails', async () => {
    const format = (body: string): string => `
      import { callingLine } from '${BUILT}';
      Error.prepareStackTrace = (error, sites) => { ${body} };
      const ask = () => callingLine();
      const line = ask();
      const kept = Error.prepareStackTrace;
      Error.prepareStackTrace = undefined;
      console.log(line, typeof kept);`;
    const told = await printed(format("return 'Error\\n    at ask (/written/by-hand.ts:7:3)';"));
    expect(told).toBe('/written/by-hand.ts:7:3 function');
    const failed = await printed(format("throw new Error('cannot');"));
    expect(failed).toMatch(/script\.mjs:5:\d+ function$/);
  });
});
