/** A proxy on this machine that holds back all bytes for a while, each way: a browser in another data centre. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout } from '../../src/timers.ts';

export interface DelayProxy {
  /** The same endpoint, by way of the proxy. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param delayMs one way: a round trip takes twice as long. */
export async function openDelayProxy(browserWSEndpoint: string, delayMs: number): Promise<DelayProxy> {
  const target = new URL(browserWSEndpoint);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const browser = connect(Number(target.port || 80), target.hostname);
    for (const socket of [client, browser]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    passOn(client, browser, delayMs);
    passOn(browser, client, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = new URL(target);
  endpoint.hostname = '127.0.0.1';
  endpoint.port = String((server.address() as AddressInfo).port);
  return {
    endpoint: endpoint.href,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Timers of the same length fire in the order in which they were set, so no byte overtakes another. */
function passOn(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
}
