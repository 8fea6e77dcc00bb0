// V8 calls no finalizer of a process any more where a registry that has something to tell is itself collected before it has told
// it. So no registry of ours is ever collected, however many attachments come and go.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

it('attachments come and go, and the finalizers of the process go on', async () => {
  const { stdout, stderr } = await runScript(
    `
    import { EventEmitter } from 'node:events';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { attach } from 'cdp-release-batcher/session';
    class Session extends EventEmitter {
      #ids = 0;
      async send(method) {
        return method === 'Runtime.evaluate' ? { result: { type: 'object', objectId: '1.1.' + ++this.#ids } } : {};
      }
    }
    async function open() {
      const session = new Session();
      const releases = attach(session, { track: true, pressure: false });
      for (let i = 0; i < 20; i++) await session.send('Runtime.evaluate', { expression: '({})' });
      return { session, releases };
    }
    let told = 0;
    const registry = new FinalizationRegistry(() => told++);
    for (let round = 0; round < 5; round++) {
      let opened = await open();
      await sleep(30);
      gc(); // Finds the handles: their registry has something to tell.
      opened = undefined;
      gc(); // Would find that registry.
      await sleep(10);
    }
    (() => registry.register({}, undefined))();
    for (let round = 0; told === 0 && round < 50; round++) {
      gc();
      await sleep(20);
    }
    console.log(told);
    `,
    { execArgv: ['--expose-gc'] },
  );
  expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: '' });
});
