// A subject whose members throw as they are read, as a strict Proxy's do: refused like anything else that is no session, and
// attached to where all that is needed of it is there.
import { expect, test } from 'vitest';
import { attach } from '../../src/clients/session.ts';

const throwing = (): never => {
  throw new Error('there is no such member');
};

test('one that gives nothing is refused in the words for any other', () => {
  const subject = new Proxy({}, { get: throwing, has: throwing });
  expect(() => attach(subject as never)).toThrow(/^attach: expected .*, got /);
});

test('one that has no way to take a listener away is attached to, and works on after detach', async () => {
  const sent: string[] = [];
  const subject = {
    send: async (method: string): Promise<object> => {
      sent.push(method);
      return {};
    },
    on() {},
  };
  const session = new Proxy(subject, {
    has: (target, name) => Reflect.has(target, name) || throwing(),
  });
  const releases = attach(session);
  await session.send('Runtime.enable');
  releases.detach();
  await session.send('Runtime.disable');
  expect(sent).toEqual(['Runtime.enable', 'Runtime.disable']);
});
