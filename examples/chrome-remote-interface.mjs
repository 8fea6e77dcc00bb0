// chrome-remote-interface. One client, a flat session for each page; with `track`, the RemoteObject is what has to be
// held: this script keeps the first, and forgets all others.
import { attach } from 'cdp-release-batcher/chrome-remote-interface';
import CDP from 'chrome-remote-interface';

// Of a browser that was started by: chromium --headless --remote-debugging-port=9222
const port = Number(process.env.PORT ?? 9222);
const { webSocketDebuggerUrl } = await CDP.Version({ port });
const client = await CDP({ target: webSocketDebuggerUrl, local: true });
const releases = attach(client, { track: true });

const { Target, Runtime } = client;
const { targetId } = await Target.createTarget({ url: 'about:blank' });
const { sessionId } = await Target.attachToTarget({ targetId, flatten: true });

const evaluate = (expression) => Runtime.evaluate({ expression }, sessionId);
const { result: kept } = await evaluate('({ kept: true })');
for (let i = 0; i < 2_000; i++) await evaluate('({ forgotten: new Array(25_000).fill(0.5) })');

// By hand, and by callback, it goes into the same batches, and comes back at once.
const { result: disposed } = await evaluate('({ disposed: true })');
await new Promise((resolve) => {
  Runtime.releaseObject({ objectId: disposed.objectId }, sessionId, resolve);
});
await releases.flush();

const { minted, live, released, commands } = releases.stats();
console.log(
  `${minted} remote objects, of which ${released} were released by ${commands} commands, ${live} are left`,
);
const { result } = await Runtime.callFunctionOn(
  { objectId: kept.objectId, functionDeclaration: 'function () { return this.kept; }' },
  sessionId,
);
console.log(`the one that is held still works: ${result.value}`);

releases.detach();
await Target.closeTarget({ targetId });
await client.close();
