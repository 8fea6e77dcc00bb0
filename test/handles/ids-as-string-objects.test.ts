// An id may be a String object, as those are that Playwright's server half is given: what a command names by one is pinned
// until the command is answered, and what it mints joins the group of the object that it names.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { HeldId } from '../../src/clients/playwright/held-id.ts';
import { attach } from '../../src/clients/session.ts';
import { deferred } from '../support/deferred.ts';
import { turns } from '../support/turns.ts';

class Session extends EventEmitter {
  readonly sent: string[] = [];
  readonly answer = deferred<object>();
  async send(method: string, _params?: object): Promise<unknown> {
    this.sent.push(method);
    if (method === 'Runtime.evaluate') return { result: { type: 'object', objectId: '1.1.1' } };
    return method === 'Runtime.getProperties' ? this.answer.promise : {};
  }
}

it('what is named by a String object is released after the command that names it, and its group with its children', async () => {
  const session = new Session();
  const releases = attach(session, { track: true, pressure: false });
  await session.send('Runtime.evaluate', { expression: '({})' });
  const listing = session.send('Runtime.getProperties', { objectId: new String('1.1.1') });
  await session.send('Runtime.releaseObject', { objectId: '1.1.1' });
  expect(await releases.flush({ timeoutMs: 50 })).toMatchObject({ complete: false, released: 0 });
  expect(session.sent).toEqual(['Runtime.evaluate', 'Runtime.getProperties']);

  const child = { type: 'object', objectId: '1.1.2' };
  session.answer.resolve({ result: [{ name: 'a', value: child }] });
  await listing;
  await turns();
  await releases.flush();
  // The group that both are in has a member that lives: not released whole.
  expect(session.sent).not.toContain('Runtime.releaseObjectGroup');
  expect(releases.stats()).toMatchObject({ minted: 2, live: 1, released: 1 });
  expect(child.objectId).toBe('1.1.2');
  releases.detach();
});

it('one that stands for a moved object reads as the object’s present id, however it is read', () => {
  const remoteObject = { type: 'object', objectId: '1.1.1' };
  const id = new HeldId(remoteObject, 0, false, false);
  remoteObject.objectId = '1.1.7';
  const read = [`${id}`, id.valueOf(), JSON.parse(JSON.stringify({ id })).id];
  expect(read).toEqual(['1.1.7', '1.1.7', '1.1.7']);
});
