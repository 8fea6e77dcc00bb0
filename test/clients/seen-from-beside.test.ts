// A program may wrap what a client has, on an object or on its class, before the library attaches or after: to see what is
// sent, or to change it. It sees the same, attached or not.
import { EventEmitter } from 'node:events';
import { Session } from 'node:inspector';
import { describe, expect, it } from 'vitest';
import { attach as attachRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import { attach as attachInspector } from '../../src/clients/node-inspector.ts';
import { attach as attachPuppeteer } from '../../src/clients/puppeteer/index.ts';
import { attach } from '../../src/clients/session.ts';
import { below, shadow } from '../../src/clients/session-hook.ts';
import { sessionOf } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';

/** Wraps a method of the class that an object has it from, while `work` runs. @returns what was given to it. */
async function spyOnClass(object: object, name: string, work: () => unknown): Promise<unknown[][]> {
  let owner = Object.getPrototypeOf(object) as Record<string, (...given: unknown[]) => unknown>;
  while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  const original = owner[name];
  const seen: unknown[][] = [];
  owner[name] = function (...given) {
    seen.push(given);
    return original?.apply(this, given);
  };
  try {
    await work();
  } finally {
    if (original !== undefined) owner[name] = original;
  }
  return seen;
}

class Connection extends EventEmitter {
  async send(_method: string, ..._rest: unknown[]): Promise<unknown> {
    return {};
  }
  close(): void {}
}

describe('a wrapper that is put on a class after attaching sees what is sent', () => {
  it("of Puppeteer's sessions", async () => {
    await using browser = await launchChromium();
    const page = await browser.newPage();
    using _ = attachPuppeteer(browser);
    const seen = await spyOnClass(await page.createCDPSession(), 'send', async () => {
      const handle = await page.evaluateHandle(() => ({}));
      await handle.evaluate(() => 1);
    });
    expect(seen.map(([method]) => method)).toEqual(['Runtime.callFunctionOn', 'Runtime.callFunctionOn']);
  });

  it('of any object with send and on', async () => {
    const session = new Connection();
    using _ = attach(session, { track: true });
    const seen = await spyOnClass(session, 'send', () => session.send('Runtime.evaluate', {}, 1, 2));
    expect(seen).toEqual([['Runtime.evaluate', { objectGroup: expect.any(String) }, 1, 2]]);
  });

  it('of chrome-remote-interface', async () => {
    const client = new Connection();
    using _ = attachRemoteInterface(client, { track: true });
    const seen = await spyOnClass(client, 'send', () => client.send('Page.enable', { a: 1 }));
    expect(seen).toMatchObject([['Page.enable', { a: 1 }]]);
    expect(await spyOnClass(client, 'close', () => client.close())).toEqual([[]]);
  });

  it("of Node's inspector", async () => {
    const session = new Session();
    session.connect();
    using _ = attachInspector(session, { track: true });
    const seen = await spyOnClass(session, 'post', () => session.post('Runtime.enable', () => {}));
    expect(seen.map(([method]) => method)).toEqual(['Runtime.enable']);
    session.disconnect();
  });
});

describe('an event arrives with all that it was emitted with', () => {
  it.each([['chrome-remote-interface', attachRemoteInterface]])('of %s', (_, attachTo) => {
    const client = new Connection();
    using _attachment = attachTo(client);
    const heard: unknown[][] = [];
    client.on('custom', (...given) => heard.push(given));
    client.emit('custom', 1, 2, 3);
    expect(heard).toEqual([[1, 2, 3]]);
  });

  it("of Puppeteer's sessions", async () => {
    await using browser = await launchChromium();
    using _ = attachPuppeteer(browser);
    const session = sessionOf(await browser.newPage());
    const seen = await spyOnClass(session, 'emit', () =>
      Reflect.apply(Reflect.get(session, 'emit'), session, ['custom', 1, 2, 3]),
    );
    expect(seen).toEqual([['custom', 1, 2, 3]]);
  });
});

it('what stood above is looked for where it was: on the object itself, it stays what it was', () => {
  class Parent {
    say(): string {
      return 'class';
    }
  }
  const heir = new Parent();
  const found = below(heir, 'say');
  const restore = shadow(heir, 'say', () => `hook over ${found()}`);
  const original = Parent.prototype.say;
  Parent.prototype.say = () => 'wrapper';
  expect(heir.say()).toMatch('hook over');
  expect(found()()).toBe('wrapper');
  Parent.prototype.say = original;
  expect(found()()).toBe('class');
  restore();
  expect(Object.keys(heir)).toEqual([]);

  const own = new Parent();
  own.say = () => 'own';
  const foundOwn = below(own, 'say');
  shadow(own, 'say', () => '');
  expect(foundOwn()()).toBe('own');
});
