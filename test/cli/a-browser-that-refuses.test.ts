// The doctor's own connection to a running browser: where none answers it says so in a line, and a refusal is the command's.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { beforeAll, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { BrowserConnection } from '../../src/cli/look/connection.ts';

// Node 20 has its own behind a flag, with which the command starts itself once more.
beforeAll(() => {
  vi.stubGlobal('WebSocket', WebSocket);
  return () => vi.unstubAllGlobals();
});

const portOf = (server: { address(): unknown }): number => (server.address() as { port: number }).port;

test('nobody listens there', async () => {
  const opening = BrowserConnection.open('ws://127.0.0.1:2/devtools');
  await expect(opening).rejects.toThrow(CannotRunError);
  await expect(opening).rejects.toThrow(/^No browser answers at ws:\/\/127\.0\.0\.1:2\/devtools: .*[^.]\.$/);
});

test('somebody listens there, and says nothing', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const opening = BrowserConnection.open(`ws://127.0.0.1:${portOf(server)}/`, 50);
  await expect(opening).rejects.toThrow('nothing came for 0.05 s.');
  server.close();
});

test('a command that is refused is rejected with the browser’s words, and the next is answered', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data));
      const answer = method === 'Browser.refuse' ? { error: { message: 'not allowed' } } : { result: 'well' };
      socket.send(JSON.stringify({ id, ...answer }));
    });
  });
  const connection = await BrowserConnection.open(`ws://127.0.0.1:${portOf(server)}/`);
  await expect(connection.send('Browser.refuse')).rejects.toThrow('not allowed');
  expect(await connection.send('Browser.getVersion')).toBe('well');
  await connection.close();
  await expect(connection.send('Browser.getVersion')).rejects.toThrow('the browser closed the connection');
  server.close();
});
