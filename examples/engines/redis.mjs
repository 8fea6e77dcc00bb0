// A redis-server for as long as the example runs: on a Unix socket in a temporary folder, where it is in nobody's
// way, and without a file to its name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @throws where there is no `redis-server` on the PATH; the message says how to install it. */
export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const path = join(folder, 'socket');
  const settings = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await ready(server);
  } catch (cause) {
    await rm(folder, { recursive: true });
    throw new Error(
      'redis-server could not be started. To install it: apt-get install redis-server, dnf install redis, or brew install redis.',
      { cause },
    );
  }
  process.once('exit', () => server.kill()); // Also where the example fails half-way.
  return {
    connection: { path, maxRetriesPerRequest: null },
    async stop() {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function ready(server) {
  const failed = Promise.race([
    once(server, 'error').then(([error]) => Promise.reject(error)),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`it exited with ${code}`))),
  ]);
  const accepting = (async () => {
    for await (const text of server.stdout) {
      if (/ready to accept connections/i.test(String(text))) return;
    }
    await failed; // It says no more, for it has exited.
  })();
  await Promise.race([accepting, failed]);
  failed.catch(() => {}); // That it exits later is as it should be.
}
