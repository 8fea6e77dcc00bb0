// The batcher by itself, over a bare WebSocket: anything that has `send(method, params)` and gives a promise is a
// session. No Puppeteer is involved but for starting the browser.
import { ReleaseBatcher } from 'cdp-release-batcher';
import WebSocket from 'ws';
import { launch } from './launch.mjs';

const browser = await launch();
const socket = new WebSocket(browser.wsEndpoint());
await new Promise((resolve) => socket.once('open', resolve));

let lastId = 0;
const waiting = new Map();
socket.on('message', (data) => {
  const { id, result, error } = JSON.parse(String(data));
  waiting.get(id)?.(error === undefined ? [result] : [undefined, new Error(error.message)]);
  waiting.delete(id);
});
const sessionOf = (sessionId) => ({
  send(method, params = {}) {
    const id = ++lastId;
    socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => {
      waiting.set(id, ([result, error]) => (error ? reject(error) : resolve(result)));
    });
  },
});

const root = sessionOf(undefined);
const { targetId } = await root.send('Target.createTarget', { url: 'about:blank' });
const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: true });
const session = sessionOf(sessionId);

const batcher = new ReleaseBatcher();
for (let i = 0; i < 1_000; i++) {
  const { result } = await session.send('Runtime.evaluate', { expression: '({ i: 1 })' });
  batcher.release(session, result.objectId); // Does not wait.
}
const report = await batcher.flush();
const { released, commands } = batcher.stats();
console.log(`${released} of 1000 released, in ${commands} commands`);
process.exitCode = report.complete && released === 1_000 ? 0 : 1;

await batcher.close();
socket.close();
await browser.close();
