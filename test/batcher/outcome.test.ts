import { expect, test } from 'vitest';
import { type Outcome, type Reach, refusalOf } from '../../src/batcher/release.ts';

// What Chromium answers to a release, and what clients say of a session that ended.
const answers: [message: string, outcome: Outcome, reach: Reach][] = [
  ['Could not find object with given id', 'gone', 'object'],
  ['Cannot find context with specified id', 'gone', 'context'],
  ['Execution context was destroyed.', 'gone', 'context'],
  ['Session with given id not found.', 'gone', 'session'],
  ['Target closed', 'gone', 'session'],
  ['Session closed. Most likely the page has been closed.', 'gone', 'session'],
  ['Invalid remote object id', 'failed', 'object'],
  ["'Runtime.releaseObject' wasn't found", 'failed', 'object'],
  ['', 'failed', 'object'],
];

/** Puppeteer's ProtocolError. */
class ProtocolError extends Error {
  constructor(message: string) {
    super(`Protocol error (Runtime.releaseObject): ${message}`);
    this.name = 'ProtocolError';
  }
}

/** chrome-remote-interface rejects with an Error that carries request and response. */
class ClientError extends Error {
  readonly request = { method: 'Runtime.releaseObject', params: { objectId: '1.1.1' } };
  readonly response: { code: number; message: string };
  constructor(message: string) {
    super(message);
    this.response = { code: -32000, message };
  }
}

test.each(answers)(
  "'%s' means %s, and reaches as far as the %s, whichever client says so",
  (message, outcome, reach) => {
    expect(refusalOf(new ProtocolError(message))).toEqual({ outcome, reach });
    expect(refusalOf(new ClientError(message))).toEqual({ outcome, reach });
    expect(refusalOf({ code: -32000, message }), 'a raw reply').toEqual({ outcome, reach });
    expect(refusalOf(message), 'a string').toEqual({ outcome, reach });
  },
);

test.each([
  'Protocol error: Connection closed.',
  'WebSocket connection closed',
  'WebSocket is not open: readyState 3 (CLOSED)',
  'cdpSession.send: Target page, context or browser has been closed',
  'Session is not connected',
  'Session was closed',
  'cdpSession.send: Protocol error (Runtime.releaseObject): Internal server error, session closed.',
])("'%s': a client that lost its connection has lost the session", (message) => {
  expect(refusalOf(new Error(message))).toEqual({ outcome: 'gone', reach: 'session' });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a number', 42],
  ['a symbol', Symbol('s')],
  ['an error without a message', new Error()],
  [
    'a message that is no string',
    {
      message: {
        toString: () => {
          throw new Error();
        },
      },
    },
  ],
  ['an object without a prototype', Object.create(null)],
  ['a message of 10 MB', new Error('x'.repeat(10_000_000))],
  [
    'a proxy that throws',
    new Proxy(
      {},
      {
        has: () => {
          throw new Error();
        },
      },
    ),
  ],
])('%s is a failure, and never throws', (_, reason) => {
  expect(refusalOf(reason)).toEqual({ outcome: 'failed', reach: 'object' });
});
