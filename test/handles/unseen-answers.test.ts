/** A client whose `send` gives no promise: the tap neither throws, nor takes away what it cannot see. */
import { EventEmitter } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { PageActions } from '../../src/handles/acknowledge.ts';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { Attachment } from '../../src/handles/attachment.ts';
import { type CommandRules, plainRules } from '../../src/handles/command-rules.ts';
import type { SessionTap } from '../../src/handles/observe-session.ts';
import { expectConserved } from '../support/conservation.ts';
import { FakePeer, type FakeSession } from '../support/fake-peer.ts';
import { turns } from '../support/turns.ts';

/** Sends, and says nothing of the answer. */
class Mute extends EventEmitter {
  readonly wire: FakeSession = new FakePeer().attach();
  readonly tap: SessionTap;
  readonly attachment: Attachment;

  constructor(rules: CommandRules = plainRules) {
    super();
    this.attachment = new Attachment(resolveAttachOptions({ pressure: false }));
    this.tap = this.attachment.open(this.wire, {
      isOrdered: true,
      tracks: true,
      actions: new PageActions(),
      createRules: () => rules,
    });
    onTestFinished(() => {
      expectConserved(this.attachment.stats());
      this.attachment.detach();
    });
  }

  send(method: string, params: Record<string, unknown> = {}): unknown {
    return this.tap.command(method, params, (outgoing) => {
      this.wire.send(method, outgoing).catch(() => {}); // Nobody hears of a refusal.
      return undefined as never;
    });
  }
}

it('hands on what such a send gave, whatever the command', async () => {
  const client = new Mute();
  for (const [method, params] of [
    ['Runtime.evaluate', { expression: '({})' }],
    ['Page.navigate', { url: 'about:blank' }],
    ['Runtime.releaseObjectGroup', { objectGroup: 'mine' }],
    ['Runtime.evaluate', { expression: '({})', objectGroup: 'mine' }],
  ] as const) {
    expect(client.send(method, params)).toBeUndefined();
  }
  await turns();
});

it('takes such a command for answered at once, where the rules of the client ask', async () => {
  const heard: string[] = [];
  const client = new Mute({
    ...plainRules,
    onSent: (method) => {
      heard.push(method);
      return () => heard.push(`${method} answered`);
    },
  });
  client.send('Page.enable');
  expect(heard).toEqual(['Page.enable', 'Page.enable answered']);
  await turns();
});

it('releases no group into which something may have been born unseen', async () => {
  const client = new Mute();
  const { objectId } = await mintSeen(client);
  client.send('Runtime.evaluate', { expression: '({ unseen: true })' });
  await turns();
  expect(client.wire.peer.store.alive()).toHaveLength(2);

  await client.tap.command('Runtime.releaseObject', { objectId }, unreachable);
  expect(await client.attachment.flush()).toMatchObject({ complete: true, released: 1 });
  expect(client.wire.peer.store.alive(), 'what was minted unseen').toHaveLength(1);
});

it('takes it that the release of a group by such a send is done', async () => {
  const client = new Mute();
  await mintSeen(client, { objectGroup: 'mine' });
  client.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
  expect(client.attachment.stats()).toMatchObject({ live: 0, released: 1 });
});

it('counts a release behind an action as sent, though its answer stays unseen', async () => {
  const client = new Mute();
  const { objectId } = await mintSeen(client);
  client.send('Page.navigate', { url: 'about:blank' });
  expect(client.send('Runtime.releaseObject', { objectId })).toBeUndefined();
  expect(await client.attachment.flush()).toMatchObject({ complete: true });
  expect(client.attachment.stats()).toMatchObject({ live: 0, inFlight: 0, released: 1 });
});

async function mintSeen({ tap, wire }: Mute, params = {}): Promise<{ objectId: string }> {
  const answer = await tap.command('Runtime.evaluate', { expression: '({})', ...params }, (outgoing) =>
    wire.send('Runtime.evaluate', outgoing),
  );
  return (answer as { result: { objectId: string } }).result;
}

function unreachable(): never {
  throw new Error('a release is acknowledged, not sent');
}

it('tracks nothing more after a command by value either: what that names, and for how long, is not seen', async () => {
  const client = new Mute();
  expect(client.send('Runtime.evaluate', { expression: '1', returnByValue: true })).toBeUndefined();
  await client.tap.command('Runtime.evaluate', { expression: '({})' }, (params) =>
    client.wire.send('Runtime.evaluate', params),
  );
  await turns();
  expect(client.attachment.stats().minted).toBe(0);
});
