// No client at all: some lines around a WebSocket that give an object `send` and `on`. That is all that `attach` asks.
// With `track`, the RemoteObject is what has to be held.
import { EventEmitter } from 'node:events';
import { attach } from 'cdp-release-batcher/session';
import WebSocket from 'ws';

// Of a browser that was started by: chromium --headless --remote-debugging-port=9222
const response = await fetch(`http://127.0.0.1:${process.env.PORT ?? 9222}/json/version`);
const { webSocketDebuggerUrl } = await response.json();
const socket = new WebSocket(webSocketDebuggerUrl);
await new Promise((resolve) => socket.once('open', resolve));

let lastId = 0;
const waiting = new Map();
const sessions = new Map();
socket.on('message', (data) => {
  const { id, result, error, method, params, sessionId } = JSON.parse(String(data));
  if (id === undefined) return sessions.get(sessionId)?.emit(method, params);
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  return error === undefined ? resolve(result) : reject(new Error(error.message));
});

class BareSession extends EventEmitter {
  constructor(sessionId) {
    super();
    this.sessionId = sessionId;
    sessions.set(sessionId, this);
  }

  send(method, params = {}) {
    const id = ++lastId;
    socket.send(JSON.stringify({ id, method, params, sessionId: this.sessionId }));
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }
}

const root = new BareSession();
const { targetId } = await root.send('Target.createTarget', { url: 'about:blank' });
const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: true });
const session = new BareSession(sessionId);

const releases = attach(session, { track: true, targetType: 'page' });
await session.send('Runtime.enable');
for (let i = 0; i < 2_000; i++) {
  await session.send('Runtime.evaluate', {
    expression: 'console.log({}), ({ big: new Array(25_000).fill(0.5) })',
  });
}
await releases.flush();

const { minted, live, collected, commands } = releases.stats();
console.log(
  `${minted} remote objects, console arguments included; ${collected} were forgotten, and released`,
);
console.log(`by ${commands} commands; ${live} are left`);

releases.detach();
await root.send('Target.closeTarget', { targetId });
socket.close();
