/**
 * The built package as somebody has it: installed somewhere, used from a project elsewhere, and beside either of them
 * nothing but what the test puts there.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { MAIN, type Outcome, type RunOptions, runCommandLine } from './command-line.ts';

export class InstalledCopy implements Disposable {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'installed-copy-')));
  /** Where the command line is run. */
  readonly project: string = join(this.folder, 'project');
  readonly #installation: string = join(this.folder, 'installation');

  constructor() {
    const own = this.#packageFolder('installation', 'cdp-release-batcher');
    cpSync(dirname(dirname(MAIN)), join(own, 'dist'), { recursive: true });
    cpSync('package.json', join(own, 'package.json'));
    mkdirSync(this.project, { recursive: true });
  }

  /** Puts one of this checkout's packages there, by this name or by another. */
  link(where: 'installation' | 'project', name: string, from: string = name): void {
    symlinkSync(resolve('node_modules', from), this.#packageFolder(where, name), 'junction');
  }

  /** Puts a package there that the test makes up: what it has for its default export. */
  make(where: 'installation' | 'project', name: string, defaultExport: string, entry = 'index.js'): void {
    const folder = this.#packageFolder(where, name);
    mkdirSync(dirname(join(folder, entry)), { recursive: true });
    const manifest = { name, version: '1.2.3', type: 'module', exports: `./${entry}` };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, entry), `export default ${defaultExport};\n`);
  }

  run(args: readonly string[], options: Pick<RunOptions, 'env' | 'cwd'> = {}): Promise<Outcome> {
    const main = join(this.#installation, 'node_modules', 'cdp-release-batcher', 'dist', 'cli', 'main.js');
    return runCommandLine(args, { main, cwd: this.project, ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #packageFolder(where: 'installation' | 'project', name: string): string {
    const folder = join(this.folder, where, 'node_modules', name);
    mkdirSync(dirname(folder), { recursive: true });
    return folder;
  }
}
