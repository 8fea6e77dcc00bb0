// Folders that rows run in: rows with the same packages share one, in which npm has installed them and the tarball.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Minifying Puppeteer takes minutes on a busy machine. */
const LIMIT_MS = 600_000;

export class Folders {
  #parent;
  #tarball;
  #installed = new Map();

  constructor(parent, tarball) {
    this.#parent = parent;
    this.#tarball = tarball;
  }

  /** The folder of a row, with its files in it. */
  async of({ packages, files }) {
    const key = JSON.stringify(packages);
    if (!this.#installed.has(key)) {
      const number = this.#installed.size + 1;
      this.#installed.set(key, this.#install(join(this.#parent, `project-${number}`), packages));
    }
    const folder = await this.#installed.get(key);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  }

  async #install(folder, packages) {
    await mkdir(folder);
    const dependencies = { ...packages, 'cdp-release-batcher': `file:${this.#tarball}` };
    const manifest = { name: 'project', version: '1.0.0', private: true, dependencies };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    // No browser is downloaded; the two names are those of newer and of older versions of Puppeteer.
    const env = { PUPPETEER_SKIP_DOWNLOAD: '1', PUPPETEER_SKIP_CHROMIUM_DOWNLOAD: '1' };
    const quiet = [
      '--no-audit',
      '--no-fund',
      '--loglevel',
      'error',
      '--prefer-offline',
      '--legacy-peer-deps',
    ];
    await run('npm', ['install', ...quiet], folder, env);
    return folder;
  }
}

/** Runs to its end. @throws Error with the end of what was printed, where the exit code is not 0. */
export function run(file, args, cwd, env = {}) {
  return new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _, ...inherited } = process.env;
    const options = {
      cwd,
      env: { ...inherited, ...env },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    };
    execFile(file === 'node' ? process.execPath : file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else {
        const why = error.killed ? `no end within ${LIMIT_MS / 1000} s` : `exit code ${error.code}`;
        reject(
          new Error(`${file} ${args.join(' ')}: ${why}\n${`${stdout}\n${stderr}`.trim().slice(-1_500)}`),
        );
      }
    });
  });
}
