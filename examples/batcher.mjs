// The batcher by itself, over a bare WebSocket: anything that has `send(method, params)` and gives a promise is a
// session.
import { ReleaseBatcher } from 'cdp-release-batcher';
import WebSocket from 'ws';

// Of a browser that was started by: chromium --headless --remote-debugging-port=9222
const response = await fetch(`http://127.0.0.1:${process.env.PORT ?? 9222}/json/version`);
const { webSocketDebuggerUrl } = await response.json();
const socket = new WebSocket(webSocketDebuggerUrl);
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
await batcher.flush();
const { released, commands } = batcher.stats();
console.log(`${released} of 1000 released, in ${commands} commands`);

await batcher.close();
await root.send('Target.closeTarget', { targetId });
socket.close();
