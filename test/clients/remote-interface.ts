/** Clients of chrome-remote-interface for tests: to a browser with flat sessions, to one page, to a Node process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import CDP, { type Callback, type Client } from 'chrome-remote-interface';
import type { Browser } from 'puppeteer-core';
import { onTestFinished } from 'vitest';
import { attach } from '../../src/clients/chrome-remote-interface.ts';
import { openPage } from '../support/chromium.ts';
import { type Params, plainSession, runForEver, type SessionUnderTest } from './conformance.ts';

export async function connect(target: string): Promise<Client> {
  const client = await CDP({ target, local: true });
  onTestFinished(() => client.close());
  return client;
}

/** A new page and a flat session with it. */
async function openFlat(client: Client): Promise<{ readonly targetId: string; readonly sessionId: string }> {
  const { targetId } = (await client.send('Target.createTarget', { url: 'about:blank' })) as {
    targetId: string;
  };
  const attached = await client.send('Target.attachToTarget', { targetId, flatten: true });
  return { targetId, sessionId: (attached as { sessionId: string }).sessionId };
}

/** A flat session as one under test, by promises. */
export async function flatSession(
  client: Client,
): Promise<SessionUnderTest & { readonly sessionId: string }> {
  const { targetId, sessionId } = await openFlat(client);
  const send = (method: string, params: Params = {}): Promise<unknown> =>
    client.send(method, params, sessionId);
  const session = plainSession(send, {
    attach: (options) => attach(client, options),
    lose: () => client.send('Target.closeTarget', { targetId }),
    belongings: belongingsOf(client),
  });
  return {
    ...session,
    sessionId,
    release: async (objectId) => client.Runtime.releaseObject?.({ objectId }, sessionId),
  };
}

/** A client's own session as one under test, by callbacks. */
function ownSession(
  client: Client,
  { hang, lose }: Pick<SessionUnderTest, 'hang' | 'lose'>,
): SessionUnderTest {
  const send = (method: string, params: Params = {}): Promise<unknown> =>
    promised((callback) => client.send(method, params, callback));
  return {
    attach: (options) => attach(client, options),
    send,
    release: (objectId) => promised((callback) => client.Runtime.releaseObject?.({ objectId }, callback)),
    sender: client,
    ...(hang === undefined ? {} : { hang }),
    lose,
    belongings: belongingsOf(client),
  };
}

/** A page, with a client connected to it directly. */
export async function openDirectly(browser: Browser): Promise<SessionUnderTest> {
  const page = await openPage(browser);
  const { host } = new URL(browser.wsEndpoint());
  const { targetInfo } = await page
    .createCDPSession()
    .then((session) => session.send('Target.getTargetInfo'));
  const client = await connect(`ws://${host}/devtools/page/${targetInfo.targetId}`);
  return ownSession(client, {
    hang: () => runForEver((method, params) => client.send(method, params ?? {})),
    lose: () => page.close(),
  });
}

/** A Node process that waits, with a client connected to its inspector. */
export async function openNode(): Promise<SessionUnderTest & { readonly client: Client }> {
  const child = spawn(process.execPath, ['--inspect=0', '--eval', 'setInterval(() => {}, 1_000)'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const client = await connect(await endpointOf(child));
  const session = ownSession(client, {
    hang: async () => {
      child.kill('SIGSTOP');
      return async () => void child.kill('SIGCONT');
    },
    lose: async () => {
      child.kill('SIGKILL');
      await once(client, 'disconnect');
    },
  });
  return { ...session, client };
}

async function endpointOf(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    const endpoint = /ws:\/\/\S+/.exec(said)?.[0];
    if (endpoint !== undefined) return endpoint;
  }
  throw new Error(`node --inspect told no endpoint: ${said}`);
}

/** By a callback that gets `true` and the reply's error, or an Error. */
function promised(start: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (!error) resolve(response);
      else reject(error instanceof Error ? error : new Error((response as { message: string }).message));
    });
  });
}

/** The client, and all that was generated for it: each domain, each command with what it is described by. */
function belongingsOf(client: Client): object[] {
  const members = Object.values(client).filter((member) => typeof member === 'object' && member !== null);
  const commands = Object.values(client.Runtime);
  return [client, ...(members as object[]).filter((member) => !isState(member)), ...commands];
}

/** The client's register of callbacks, whose keys come and go. */
function isState(member: object): boolean {
  return Object.keys(member).every((key) => /^\d+$/.test(key));
}
