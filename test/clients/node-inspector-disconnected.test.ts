/** A session of Node's own inspector that is detached and disconnected with releases on their way: nobody hears of them. */
import { expect, it } from 'vitest';
import { runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const script = (module: string): string => `
  import { Session } from '${module}';
  import { promisify } from 'node:util';
  import { attach } from 'cdp-release-batcher/node-inspector';
  const session = new Session();
  session.connect();
  const releases = attach(session, { track: true });
  const made = promisify((callback) => session.post('Runtime.evaluate', { expression: '({})' }, callback));
  for (let count = 0; count < 100; count++) {
    const { result } = await made();
    session.post('Runtime.releaseObject', { objectId: result.objectId }, () => {});
  }
  releases.detach();
  session.disconnect();
  await releases.flush();
  const { minted, live, queued, inFlight, timedOut } = releases.stats();
  console.log(JSON.stringify({ minted, live, queued, inFlight, timedOut }));
`;

it.each(['node:inspector', 'node:inspector/promises'])('of %s', async (module) => {
  const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', script(module)], {
    cwd: PACKAGE,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({ minted: 100, live: 0, queued: 0, inFlight: 0, timedOut: 0 });
});
