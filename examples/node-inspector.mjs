// Node's own inspector: a program that looks into itself, as a debugger, a REPL or a profiler does. What the inspector
// handed out by id stays alive until it is released; with `track`, until nobody holds its RemoteObject any more.
import { Session } from 'node:inspector/promises';
import { attach } from 'cdp-release-batcher/node-inspector';

globalThis.makeCounted = () => {
  const object = { big: new Array(1_000).fill(0.5) };
  made.push(new WeakRef(object));
  return object;
};
const made = [];

const session = new Session();
session.connect();
const releases = attach(session, { track: true });

const { result: kept } = await session.post('Runtime.evaluate', { expression: 'makeCounted()' });
for (let i = 0; i < 5_000; i++) await session.post('Runtime.evaluate', { expression: 'makeCounted()' });

// Collects this very heap, after what is known to be dropped has been released. Twice, since what the first finds
// here is what the second can let go of there.
for (let i = 0; i < 2; i++) {
  await session.post('HeapProfiler.collectGarbage');
  await releases.flush();
}
await session.post('HeapProfiler.collectGarbage');

const alive = made.filter((object) => object.deref() !== undefined).length;
const { minted, released, commands } = releases.stats();
console.log(`${minted} remote objects, of which ${released} were released by ${commands} commands`);
console.log(`${alive} of ${made.length} objects are alive`);
console.log(`the one that is held still is: ${kept.objectId}`);
process.exitCode = alive < 10 ? 0 : 1;

releases.detach();
session.disconnect();
