/** Node's own inspector: a real V8 and the real protocol, without a browser. */
import { console as inspected, Session } from 'node:inspector';
import { Session as PromisesSession } from 'node:inspector/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/node-inspector.ts';
import { collectUntil } from '../support/collect-until.ts';
import { runScript } from '../support/script.ts';
import {
  attached,
  conform,
  each,
  expectSurvivorsMoved,
  type Params,
  type SessionUnderTest,
} from './conformance.ts';

function underTest(session: Session | PromisesSession): SessionUnderTest {
  session.connect();
  onTestFinished(() => session.disconnect());
  const send = (method: string, params?: Params): Promise<unknown> =>
    session instanceof PromisesSession
      ? session.post(method, params)
      : new Promise((resolve, reject) => {
          session.post(method, params, (error: Error | null, result) =>
            error ? reject(error) : resolve(result),
          );
        });
  return {
    attach: (options) => attach(session, options),
    send,
    release: (objectId) => send('Runtime.releaseObject', { objectId }),
    sender: { send },
    lose: async () => session.disconnect(),
    belongings: [session],
  };
}

const neverHangs = 'it answers within the call that asks';
conform({
  name: 'node:inspector',
  open: each(() => underTest(new Session())),
  neverHangs,
});
conform({
  name: 'node:inspector/promises',
  open: each(() => underTest(new PromisesSession())),
  neverHangs,
});

describe.skipIf(!isMainThread)('on the main thread', () => {
  it.each([
    ['node:inspector', () => new Session()],
    ['node:inspector/promises', () => new PromisesSession()],
  ])('%s moves the few that live on among many dead', async (_, create) => {
    await expectSurvivorsMoved(underTest(create()));
  });
});

describe('a session connected to its own thread', () => {
  const open = (): { session: Session; releases: ReturnType<typeof attached> } => {
    const session = new Session();
    return { session, releases: attached(underTest(session), { track: true }) };
  };

  it('goes on answering within the call that asks', () => {
    const { session, releases } = open();
    const answers: unknown[] = [];
    session.post('Runtime.evaluate', { expression: '({})' }, (error, answer) => answers.push(error, answer));
    expect(answers).toMatchObject([null, { result: { type: 'object' } }]);
    expect(releases.stats()).toMatchObject({ minted: 1, live: 1 });

    session.post('Runtime.getProperties', { objectId: 'no id' }, (error) => answers.push(error));
    expect(answers[2]).toMatchObject({ code: 'ERR_INSPECTOR_COMMAND' });
  });

  it('notes what is minted by a command without a callback, in either place for one', () => {
    const { session, releases } = open();
    session.post('Runtime.evaluate', { expression: '({})' });
    expect(releases.stats().minted).toBe(1);
    const heard: unknown[] = [];
    session.post('Runtime.enable', (error: Error | null) => heard.push(error));
    expect(heard).toEqual([null]);
  });

  it('makes a warning of what a callback throws, as Node does', async () => {
    const { session } = open();
    const warnings: string[] = [];
    const listener = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listener);
    session.post('Runtime.evaluate', { expression: '1' }, () => {
      throw new Error('from the callback');
    });
    await expect.poll(() => warnings).toEqual(['from the callback']);
    process.off('warning', listener);
  });

  it('acknowledges a release later, once, and without an error', async () => {
    const { session, releases } = open();
    let objectId = '';
    session.post('Runtime.evaluate', { expression: '({})' }, (_error, { result }) => {
      objectId = result.objectId ?? '';
    });
    const heard: unknown[] = [];
    session.post('Runtime.releaseObject', { objectId }, (error: Error | null) => heard.push(error));
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual([null]);
    expect(await releases.flush()).toMatchObject({ complete: true, released: 1 });
  });

  it('leaves it to Node to refuse wrong arguments, and commands before it is connected', () => {
    const { session } = open();
    for (const wrong of [[1], ['Runtime.enable', 'no object'], ['Runtime.enable', {}, 'no function']]) {
      expect(() => session.post(...(wrong as [string]))).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
    session.disconnect();
    expect(() => session.post('Runtime.enable')).toThrow(
      expect.objectContaining({ code: 'ERR_INSPECTOR_NOT_CONNECTED' }),
    );
  });

  it('releases console arguments that nobody holds, each noted once', async () => {
    const { session, releases } = open();
    session.post('Runtime.enable'); // Tells of what was logged before, too.
    const { minted } = releases.stats();
    let heard = 0;
    const listener = ({ params }: { params: { args: unknown[] } }): void => {
      heard += params.args.length;
    };
    session.on('Runtime.consoleAPICalled', listener);
    inspected.debug({}, {});
    session.off('Runtime.consoleAPICalled', listener);
    expect(heard).toBe(2);
    expect(releases.stats().minted).toBe(minted + 2);
    await collectUntil(() => releases.stats().live === 0);
    expect(await releases.flush()).toMatchObject({ complete: true });
    session.post('Runtime.disable');
  });

  it('begins new books when it is connected again', async () => {
    const { session, releases } = open();
    session.post('Runtime.evaluate', { expression: '({})' });
    session.disconnect();
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ live: 0, elided: 1 });
    session.connect();
    session.post('Runtime.evaluate', { expression: '({})' });
    expect(releases.stats()).toMatchObject({ minted: 2, live: 1 });
  });

  it('keeps no process alive, and can collect the very heap that it speaks of', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { Session } from 'node:inspector';
      import { attach } from 'cdp-release-batcher/node-inspector';
      const session = new Session();
      session.connect();
      const releases = attach(session, { track: true, pressure: 65_536 });
      for (let i = 0; i < 100; i++) session.post('Runtime.evaluate', { expression: '({})' });
      session.post('HeapProfiler.collectGarbage', () => console.log('collected'));
      await releases.flush();
      session.post('Runtime.evaluate', { expression: '({})' });
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'collected\n', stderr: '' });
  });
});
