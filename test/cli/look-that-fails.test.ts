// Whatever happens to a page or to the browser during a look ends with a line that says so, and an exit code that no check
// takes for clean: a crash, a snapshot that is cut off, a browser that goes away, one that answers nothing.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BrowserReport } from '../../src/cli/look/report.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Outcome, runCommandLine } from './command-line.ts';

type Send = (message: object) => void;

/** What a browser does, two pages in, when it is asked for the first page's snapshot. */
type Fate = (send: Send, id: number, socket: WebSocket) => void;

const SESSION = { one: 'session of one', two: 'session of two' };

/** A browser with two pages, the second of which is empty and well. */
async function browserWhose(fate: Fate): Promise<string> {
  const server = createServer((_, response) => {
    const { port } = server.address() as AddressInfo;
    response.end(JSON.stringify({ webSocketDebuggerUrl: `ws://127.0.0.1:${port}/` }));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    const send: Send = (message) => socket.send(JSON.stringify(message));
    socket.on('message', (data) => {
      const { id, method, params, sessionId } = JSON.parse(String(data));
      if (method === 'HeapProfiler.takeHeapSnapshot' && sessionId === SESSION.one) {
        fate(send, id, socket);
        return;
      }
      if (method === 'HeapProfiler.takeHeapSnapshot') send({ ...chunk(EMPTY_HEAP), sessionId });
      send({ id, sessionId, result: ANSWERS[method]?.(params, sessionId) ?? {} });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ANSWERS: Readonly<
  Record<string, (params: { targetId: keyof typeof SESSION }, session: string) => object>
> = {
  'Browser.getVersion': () => ({ product: 'Fake/1' }),
  'Target.getTargets': () => ({
    targetInfos: ['one', 'two'].map((targetId) => ({ targetId, type: 'page', url: `http://${targetId}/` })),
  }),
  'Target.attachToTarget': ({ targetId }) => ({ sessionId: SESSION[targetId] }),
  'Runtime.getIsolateId': (_, session) => ({ id: session }),
  'Runtime.getHeapUsage': () => ({ usedSize: 1_000 }),
};

const chunk = (text: string) => ({ method: 'HeapProfiler.addHeapSnapshotChunk', params: { chunk: text } });
const META = {
  node_fields: ['type', 'name', 'id', 'self_size', 'edge_count'],
  node_types: [['synthetic'], 'string', 'number', 'number', 'number'],
  edge_fields: ['type', 'name_or_index', 'to_node'],
  edge_types: [['internal'], 'string_or_number', 'node'],
};
const EMPTY_HEAP = `{"snapshot":${JSON.stringify({ meta: META, node_count: 1, edge_count: 0 })},
"nodes":[0,0,1,0,0],"edges":[],"strings":["(root)"]}`;
const CUT_OFF = { ...chunk(EMPTY_HEAP.slice(0, -20)), sessionId: SESSION.one };

async function look(url: string): Promise<Outcome & { report: BrowserReport }> {
  const args = ['--browser-url', url, '--json', '--timeout', '2s', '--fail-over', '1000'];
  const outcome = await runCommandLine(['doctor', ...args]);
  return { ...outcome, report: JSON.parse(outcome.stdout || '{}') as BrowserReport };
}

it.each<[string, string, Fate]>([
  [
    'a page that crashes',
    'it crashed',
    (send) => send({ method: 'Inspector.targetCrashed', params: {}, sessionId: SESSION.one }),
  ],
  [
    'a page that is closed',
    'it was closed meanwhile',
    (send) => send({ method: 'Target.detachedFromTarget', params: { sessionId: SESSION.one } }),
  ],
  [
    'a snapshot that is cut off',
    'The heap snapshot is cut off: its text ended in the section "before strings".',
    (send, id) => {
      send(CUT_OFF);
      send({ id, sessionId: SESSION.one, result: {} });
    },
  ],
  [
    'what is no snapshot',
    `This is no heap snapshot of V8's: it begins with "${'<'.repeat(60)}".`,
    (send, id) => {
      send({ ...chunk('<'.repeat(2 << 20)), sessionId: SESSION.one });
      send({ id, sessionId: SESSION.one, result: {} });
    },
  ],
  ['a page that hangs in the middle', 'it gave no sign of life for 2 s', (send) => send(CUT_OFF)],
])('%s is told, and the other is looked into', async (_, why, fate) => {
  const { exitCode, report } = await look(await browserWhose(fate));
  expect(report).toMatchObject({
    targets: [{ url: 'http://two/', held: 0 }],
    unseen: [{ url: 'http://one/', why }],
  });
  expect(exitCode).toBe(1);
});

it('a browser that goes away in the middle', async () => {
  const { exitCode, stderr } = await look(
    await browserWhose((send, _, socket) => {
      send(CUT_OFF);
      socket.terminate();
    }),
  );
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'The look has ended: the browser closed the connection.\n',
  });
});

it('a page that has crashed before', async () => {
  const browser = await launchChromium({ args: ['--remote-debugging-port=0'] });
  const page = await browser.newPage();
  const crashed = new Promise((resolve) => page.once('error', resolve));
  page.goto('chrome://crash').catch(() => {});
  await crashed;
  const { exitCode, report } = await look(`http://${new URL(browser.wsEndpoint()).host}`);
  expect(report).toMatchObject({
    targets: [{ type: 'page', held: 0 }],
    unseen: [{ type: 'page', why: expect.stringMatching(/crashed|no sign of life/) }],
  });
  expect(exitCode).toBe(1);
});
