// The library listens on no port, starts no process, and reads and writes no file of its own accord: whatever of Node's
// could do that is watched while it does all of its work.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';
import { RAW_WORK, RAW_WORK_DONE } from './work.ts';

const WATCH = `
  import net from 'node:net';
  import dgram from 'node:dgram';
  import fs from 'node:fs';
  import childProcess from 'node:child_process';
  import { syncBuiltinESMExports } from 'node:module';
  const FOLDER = new URL('./dist/', 'file://' + process.cwd() + '/').href;
  const seen = [];
  let watched = 0;
  Error.stackTraceLimit = 60;
  function watch(owner, name) {
    const original = owner[name];
    if (typeof original !== 'function') return;
    owner[name] = function (...args) {
      watched++;
      // What a module loads is not its own doing, nor what the script does.
      const frames = new Error().stack.split('\\n');
      if (frames.some((frame) => frame.includes(FOLDER)) && !frames.some((frame) => frame.includes('node:internal/modules'))) seen.push(name);
      return Reflect.apply(original, this, args);
    };
  }
  watch(net.Server.prototype, 'listen');
  watch(net.Socket.prototype, 'connect');
  watch(dgram.Socket.prototype, 'bind');
  for (const name of ['spawn', 'fork', 'exec', 'execFile', 'spawnSync', 'execSync', 'execFileSync']) watch(childProcess, name);
  for (const owner of [fs, fs.promises]) for (const name of Object.keys(owner)) if (/^(open|write|append|mkdir|rm|unlink|rename|copy|create|symlink|link|truncate|read|stat|watch)/.test(name)) watch(owner, name);
  syncBuiltinESMExports();
`;

it('nothing is listened on, started, read or written by the library', async () => {
  const { stdout, ...rest } = await runScript(
    `${WATCH}
    ${RAW_WORK.replace("import { attach } from 'cdp-release-batcher/puppeteer';", "const { attach } = await import('cdp-release-batcher/puppeteer');")}
    await rawWork();
    console.log(JSON.stringify({ seen, hasWatched: watched > 0 }));`,
    { execArgv: ['--expose-gc'] },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  const [done, watched] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(done).toEqual(RAW_WORK_DONE);
  expect(watched).toEqual({ seen: [], hasWatched: true });
});
