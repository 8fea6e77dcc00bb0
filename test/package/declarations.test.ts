// The declarations are whole: a program that has no types of Node, and no client installed, compiles against every entry,
// as an ES module and as CommonJS. Other versions of TypeScript are rows of `npm run matrix`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PACKAGE } from '../support/script.ts';

const TSC = join(PACKAGE, 'node_modules', '.bin', 'tsc');

it.each([
  ['node16', 'node16', 'mts'],
  ['nodenext', 'nodenext', 'cts'],
  ['esnext', 'bundler', 'ts'],
])(
  'every entry, with module %s and resolution %s, from a .%s file',
  (module, moduleResolution, extension) => {
    const folder = mkdtempSync(join(tmpdir(), 'declarations-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'node_modules', 'cdp-release-batcher'), { recursive: true });
    for (const name of ['dist', 'package.json']) {
      symlinkSync(join(PACKAGE, name), join(folder, 'node_modules', 'cdp-release-batcher', name));
    }
    const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
      exports: Record<string, object>;
    };
    const imports = Object.keys(exports)
      .filter((name) => name !== './package.json')
      .map((name, index) => `export * as entry${index} from 'cdp-release-batcher${name.slice(1)}';\n`);
    const uses = `import { ReleaseBatcher } from 'cdp-release-batcher';
    using guard = new ReleaseBatcher().guard({ send: async () => ({}) }, '1.1.1');
    guard.disarm();\n`;
    writeFileSync(join(folder, `program.${extension}`), imports.join('') + uses);
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      preserveSymlinks: true,
      types: [],
    };
    const files = [`program.${extension}`];
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { stdout } = spawnSync(TSC, ['-p', '.'], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toBe('');
  },
);
