/** Whichever client is attached to, options that it cannot take are refused by their name, and nothing is hooked. */
import { Session } from 'node:inspector';
import { expect, test } from 'vitest';
import { attach as attachToRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import { attach as attachToInspector } from '../../src/clients/node-inspector.ts';
import { attach as attachToPlaywright } from '../../src/clients/playwright/index.ts';
import { attach as attachToSession } from '../../src/clients/session.ts';

/** Has what each client's session has. */
const subject = () => ({ send() {}, on() {}, emit() {}, close() {}, detach() {} });

const CLIENTS: Readonly<Record<string, readonly [attach: unknown, subject: object]>> = {
  'chrome-remote-interface': [attachToRemoteInterface, subject()],
  'node:inspector': [attachToInspector, new Session()],
  Playwright: [attachToPlaywright, subject()],
  'send and on': [attachToSession, subject()],
};

const REFUSED = [
  ['options', null],
  ['options', 5],
  ['options', 'track'],
  ['maxInFlightBatches', { maxInFlightBatches: null }],
  ['pressure', { pressure: null }],
  ['signal', { signal: {} }],
] as const;
const REFUSED_BY_SOME = [
  ['targetType', { targetType: 5 }],
  ['targetType', { targetType: '' }],
] as const;

for (const [client, [attach, target]] of Object.entries(CLIENTS)) {
  const takesTargetType = client === 'chrome-remote-interface' || client === 'send and on';
  test.each([...REFUSED, ...(takesTargetType ? REFUSED_BY_SOME : [])])(
    `${client}: %s in %o`,
    (name, options) => {
      const before = Object.getOwnPropertyDescriptors(target);
      expect(() => (attach as (subject: object, options: unknown) => void)(target, options)).toThrow(
        new RegExp(`^${name} must be .*, got `),
      );
      expect(Object.getOwnPropertyDescriptors(target)).toEqual(before);
    },
  );
}

test.each(['', null, 5])('chrome-remote-interface: a sessionId that is %o', (sessionId) => {
  expect(() => attachToRemoteInterface(subject(), { sessionId: sessionId as string })).toThrow(
    /^sessionId must be a non-empty string, got /,
  );
});
