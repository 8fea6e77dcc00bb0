// Node's own inspector: a program that looks into itself, as a debugger, a REPL or a profiler does. What the inspector
// handed out by id stays alive until it is released; with `track`, until nobody holds its RemoteObject any more.
import { Session } from 'node:inspector/promises';
import { attach } from 'cdp-release-batcher/node-inspector';

const session = new Session();
session.connect();
const releases = attach(session, { track: true });

const expression = '({ big: new Array(1_000).fill(0.5) })';
const { result: kept } = await session.post('Runtime.evaluate', { expression });
for (let i = 0; i < 5_000; i++) await session.post('Runtime.evaluate', { expression });

// Collects this very heap. Twice, since what the first collection finds here is what the second can let go of there.
for (let i = 0; i < 2; i++) {
  await session.post('HeapProfiler.collectGarbage');
  await releases.flush();
}

const { minted, released, commands } = releases.stats();
console.log(`${minted} remote objects, of which ${released} were released by ${commands} commands`);
const { result: members } = await session.post('Runtime.getProperties', { objectId: kept.objectId });
console.log(`the one that is held still has its member: ${members.some(({ name }) => name === 'big')}`);

releases.detach();
session.disconnect();
