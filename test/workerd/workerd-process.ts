// Runs a worker in the real workerd, from the `workerd` package's binary, on a port of its choice. The worker gets the
// published build of `single-flight` beside it: `npm run build` comes first.
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = path.join(ROOT, 'build');
/** The path of the binary that npm has installed for this platform: all that the package exports. */
const binary: string = createRequire(import.meta.url)('workerd').default;

export class WorkerdProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
  }

  /** Starts one that serves `test/workerd/worker.js`. */
  static async start(): Promise<WorkerdProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), 'workerd-'));
    await cp(path.join(ROOT, 'test/workerd/worker.js'), path.join(folder, 'worker.js'));
    const modules = await modulesOf('single-flight');
    for (const name of modules) await cp(path.join(BUILD, name), path.join(folder, name));
    await writeFile(path.join(folder, 'config.capnp'), configOf(['worker.js', ...modules]));

    // It tells its port on the control descriptor.
    const child = spawn(binary, ['serve', '--control-fd=3', path.join(folder, 'config.capnp')], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    try {
      return new WorkerdProcess(child, folder, await portOf(child));
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  /** A request that is waited for. */
  async get<Answer>(pathAndQuery: string): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${pathAndQuery}`);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  /** A request whose client goes away, when the promise that it is given resolves. */
  async getAndDisconnect(pathAndQuery: string, moment: () => Promise<void>): Promise<void> {
    const sent = request({ host: '127.0.0.1', port: this.#port, path: pathAndQuery, agent: false });
    sent.on('error', () => {}); // That is the point.
    sent.end();
    await moment();
    const closed = new Promise((resolve) => sent.once('close', resolve));
    // A reset: after a mere end of stream workerd may still hope that somebody reads the answer.
    sent.socket?.resetAndDestroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The modules of a room of the build, and what they import from outside of it. */
async function modulesOf(room: string): Promise<string[]> {
  const files = (await readdir(path.join(BUILD, room))).filter((name) => name.endsWith('.js'));
  const modules = new Set(files.map((name) => `${room}/${name}`));
  for (const name of modules) {
    const text = await readFile(path.join(BUILD, name), 'utf8');
    for (const [, imported = ''] of text.matchAll(/\bfrom '(\.[^']*)'/g)) {
      modules.add(path.posix.join(path.posix.dirname(name), imported));
    }
  }
  return [...modules];
}

function configOf(modules: readonly string[]): string {
  const embedded = modules.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(', ');
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (modules = [${embedded}], compatibilityDate = "2026-01-01");
`;
}

async function portOf(child: ChildProcess): Promise<number> {
  const died = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code} before it listened`)));
  });
  died.catch(() => {});
  const listening = (async () => {
    for await (const line of createInterface(child.stdio[3] as Readable)) {
      const message = JSON.parse(line) as { event: string; port: number };
      if (message.event === 'listen') return message.port;
    }
    throw new Error('workerd never listened');
  })();
  return Promise.race([listening, died]);
}
