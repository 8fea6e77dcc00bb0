/**
 * A fake peer of the protocol: the remote object store of Chromium without Chromium, for tests that need to decide
 * what arrives when. Commands pass the inbound fence before they are run, replies and events the outbound one before
 * they are delivered; without a rule of the test, both let everything through, in order.
 *
 *   client ── take ──▶ [commands] ── inbound ──▶ target (its own order) ──▶ store ── outbound ──▶ client
 *
 * In-process by `attach`; over a real WebSocket by `FakeBrowser.listen(peer)`, for `puppeteer.connect`.
 */
import { FakeSession } from './fake-peer/fake-session.ts';
import { FakeTarget, type TargetKind } from './fake-peer/fake-target.ts';
import { Fence } from './fake-peer/fence.ts';
import { type ClientEnd, PeerSession } from './fake-peer/peer-session.ts';
import type { Command, Message, Params } from './fake-peer/protocol.ts';

export type { FakeSession } from './fake-peer/fake-session.ts';
export type { FakeTarget } from './fake-peer/fake-target.ts';
export type { Hold } from './fake-peer/fence.ts';
export { type Command, type Event, isReply, type Message, type Reply } from './fake-peer/protocol.ts';

/** A command that named an id after its release. */
export interface LateName {
  readonly sessionId: string;
  readonly objectId: string;
  readonly method: string;
}

export class FakePeer {
  /** Between a command's arrival and its run. */
  readonly inbound: Fence<Command> = new Fence();
  /** Between a reply or event and its delivery. */
  readonly outbound: Fence<Message> = new Fence();
  /** Every command that arrived, in order of arrival, held and dropped ones included. */
  readonly commands: Command[] = [];
  /** Commands that named a released id: each is an object that was taken away too early. */
  readonly earlyReleases: LateName[] = [];
  /** Releases of an id that was released before: idle, but harmless. */
  readonly doubleReleases: LateName[] = [];
  readonly targets: Set<FakeTarget> = new Set();

  openTarget(kind: TargetKind = 'page'): FakeTarget {
    const target = new FakeTarget(kind);
    this.targets.add(target);
    return target;
  }

  /** A session without a socket, to a new page unless told otherwise. */
  attach(target: FakeTarget = this.openTarget()): FakeSession {
    return new FakeSession((client) => this.openSession(target, client));
  }

  openSession(target: FakeTarget, client: ClientEnd): PeerSession {
    return new PeerSession(this, target, client);
  }

  /** The parameters of each command of that method, in order of arrival; of one session, or of all. */
  sent(method: string, sessionId?: string): Params[] {
    return this.commands
      .filter(
        (command) => command.method === method && (sessionId ?? command.sessionId) === command.sessionId,
      )
      .map(({ params }) => params);
  }

  /** How many remote objects are alive, in all sessions. */
  alive(): number {
    let alive = 0;
    for (const target of this.targets)
      for (const session of target.sessions) alive += session.store.alive().length;
    return alive;
  }
}
