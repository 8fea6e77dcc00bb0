// Object ids are opaque: those that do not read `isolate.context.number`, as older V8's and other protocols', are found too,
// also when the one before was the only one of them, and has been released.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { attach } from '../../src/clients/session.ts';

class Session extends EventEmitter {
  #minted = 0;
  async send(method: string, _params?: object): Promise<unknown> {
    if (method !== 'Runtime.evaluate') return {};
    return { result: { type: 'object', objectId: `{"id":${++this.#minted}}` } };
  }
}

it('an id of another form is found though the last of its kind has been released', async () => {
  const session = new Session();
  const releases = attach(session, { track: true });
  for (let count = 1; count <= 3; count++) {
    await session.send('Runtime.evaluate');
    expect(releases.stats()).toMatchObject({ minted: count, live: 1 });
    await session.send('Runtime.releaseObject', { objectId: `{"id":${count}}` });
    await releases.flush();
    expect(releases.stats()).toMatchObject({ live: 0, released: count });
  }
  releases.detach();
});
