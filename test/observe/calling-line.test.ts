// Which line is named as the one that calls: the innermost of the program's own, where it was written.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callingLine } from '../../src/observe/calling-line.ts';
import { runNode } from '../support/processes.ts';
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

  it('that of the library where nothing of the program is on the stack', async () => {
    const source = `import { ask } from './node_modules/library/index.mjs';
      Promise.resolve().then(ask).then(console.log);`;
    expect(await printed(source)).toMatch(/node_modules\/library\/index\.mjs:2:\d+$/);
  });

  it.each([
    ['has no path', "{ filename: 'step.js' }", /^step\.js:1:\d+$/],
    ['has no name', '{}', /^evalmachine\.<anonymous>:1:\d+$/],
  ])('in a text that %s', async (_name, options, line) => {
    const source = `import { runInThisContext } from 'node:vm';
      import { callingLine } from '${BUILT}';
      setTimeout(runInThisContext('(ask) => console.log(ask())', ${options}), 0, callingLine);`;
    expect(await printed(source)).toMatch(line);
  });

  it('in a module that is its own URL, of which the beginning is told', async () => {
    const text = encodeURIComponent(`import { callingLine } from "${BUILT}";console.log(callingLine());`);
    expect(await printed(`await import("data:text/javascript,${text}");`)).toMatch(
      /^data:text\/javascript,import.{0,40}…:1:\d+$/,
    );
  });

  it('that of a program which lies below node_modules itself, as one that npx runs', async () => {
    const source = `import { callingLine } from '${BUILT}';\nconsole.log(callingLine());\n`;
    await mkdir(join(folder, 'node_modules', '@some', 'tool'), { recursive: true });
    await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
    const file = join(folder, 'node_modules', '@some', 'tool', 'cli.mjs');
    await writeFile(file, source);
    await symlink(file, join(folder, 'node_modules', '.bin', 'tool'));
    const { stdout } = await runNode([join(folder, 'node_modules', '.bin', 'tool')]);
    expect(stdout.trim()).toMatch(/tool\/cli\.mjs:2:\d+$/);
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
