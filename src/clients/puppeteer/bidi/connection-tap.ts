/**
 * Stands between Puppeteer and its BiDi connection: sees each command on its way out, each answer and event on its way in, and
 * enters in the ledgers of the connection's attachments what they tell. Puppeteer notices nothing: its own commands are sent, it
 * gets the browser's own answers, and the original `send` is called within the same call. Two commands do not get that far: a
 * disposal that is answered early, and a command that names a handle whose scope has ended, which is refused.
 *
 * Invariant: a connection is hooked once, and a realm is in the ledger of one attachment: the first that covers it.
 */

import type { ScopeKind } from '../../../handles/handle-table.ts';
import { isAwaitable } from '../../../handles/protocol.ts';
import { scopeEndedError } from '../../../handles/scope.ts';
import type { Handle } from '../../../handles/session-ledger.ts';
import { measuresMemory } from '../../../handles/target-state.ts';
import { BIDI_DISPOSALS_PER_TURN } from '../../../policy.ts';
import { setImmediate } from '../../../timers.ts';
import { below, shadow } from '../../session-hook.ts';
import { claim, Notes } from '../../session-ownership.ts';
import { bringsDocument, PuppeteerRules } from '../command-rules.ts';
import type { BidiAttachment, MintOwner } from './bidi-attachment.ts';
import { RealmOrigins } from './realm-origins.ts';
import {
  disownedHandlesOf,
  evaluateResultOf,
  forEachNamedHandle,
  member,
  valuesOfEvent,
} from './remote-values.ts';
import { type BidiConnectionLike, type ScriptTarget, scriptTargetOf } from './structure.ts';

const taps = new Notes<ConnectionTap>('bidi-connection');

/** The tap of a connection. It comes with the first attachment and goes with the last. */
export function tapOf(connection: BidiConnectionLike): ConnectionTap {
  let tap = taps.get(connection);
  if (tap === undefined) {
    tap = new ConnectionTap(connection);
    taps.set(connection, tap);
  }
  return tap;
}

/** An unanswered command that may mint. */
interface Minting extends Omit<MintOwner, 'isException'> {
  readonly attachment: BidiAttachment;
  readonly target: ScriptTarget;
  readonly contextId: string | undefined;
}

class ConnectionTap {
  readonly #connection: BidiConnectionLike;
  /** Puppeteer's own `send`, for commands that must not be seen here. */
  readonly send: BidiConnectionLike['send'];
  readonly #attachments = new Set<BidiAttachment>();
  readonly #origins = new RealmOrigins();
  #unhook: () => void = () => {};
  /** Whether the last command acted on a page, and the browser has answered no command after it. */
  #isBehindAction = false;
  #acknowledged = 0;

  constructor(connection: BidiConnectionLike) {
    this.#connection = connection;
    this.send = connection.send;
    this.#hook();
  }

  /** Hooks the connection now, or when its present owner gives it up. */
  #hook(): void {
    const ownership = claim(this.#connection, this, {
      succeed: () => {
        if (this.#attachments.size > 0) this.#hook();
      },
      isOver: () => this.#attachments.size === 0,
    });
    if (ownership === undefined) return;
    const connection = this.#connection;
    const sendBelow = below(connection, 'send');
    const emitBelow = below(connection, 'emit');
    let isHooked = true;
    const unshadow = [
      shadow(connection, 'send', (method: string, params?: unknown, ...rest: unknown[]) => {
        const forward = (): Promise<unknown> => sendBelow().call(connection, method, params, ...rest);
        return isHooked ? this.#command(method, params, forward) : forward();
      }),
      shadow(connection, 'emit', (event: string, ...payload: unknown[]) => {
        if (isHooked) this.#event(event, payload[0]);
        return emitBelow().call(connection, event, ...payload);
      }),
    ];
    this.#unhook = () => {
      isHooked = false; // If others have wrapped these methods, they stay, and only forward.
      for (const undo of unshadow) undo();
      ownership.giveUp([]);
    };
  }

  join(attachment: BidiAttachment): void {
    this.#attachments.add(attachment);
  }

  leave(attachment: BidiAttachment): void {
    this.#attachments.delete(attachment);
    if (this.#attachments.size > 0) return;
    taps.delete(this.#connection, this);
    this.#unhook();
  }

  #command(method: string, params: unknown, forward: () => Promise<unknown>): Promise<unknown> {
    if (typeof method !== 'string') return forward(); // Puppeteer says what is wrong with it.
    if (method === 'script.disown') return this.#disown(params, forward);
    this.#isBehindAction = !method.startsWith('script.');
    if (isMeasurement(method, params)) {
      for (const attachment of this.#attachments) attachment.releaseAllNow();
    }
    const ended = method === 'script.evaluate' ? undefined : this.#endedScopeNamed(params);
    if (ended !== undefined) return Promise.reject(scopeEndedError(ended));
    const target = scriptTargetOf(params);
    const pinned = method === 'script.evaluate' ? NONE : this.#pinNamed(params, target);
    const minting = this.#mintingOf(method, params, target);
    if (pinned.length === 0 && minting === undefined) return forward();

    const done = (): void => {
      for (const record of pinned) record.context?.ledger.unpin(record);
    };
    let answer: Promise<unknown>;
    try {
      answer = forward();
    } catch (error) {
      done();
      throw error;
    }
    if (!isAwaitable(answer)) {
      done();
      return answer;
    }
    return answer.then(
      (result: unknown) => {
        if (minting !== undefined) this.#onAnswer(minting, result);
        done();
        return result;
      },
      (error: unknown) => {
        done();
        throw error;
      },
    );
  }

  /** If a command names a handle that has ended with its scope: how that scope was opened. Otherwise `undefined`. */
  #endedScopeNamed(params: unknown): ScopeKind | undefined {
    let ended: ScopeKind | undefined;
    forEachNamedHandle(params, (handle) => {
      for (const attachment of this.#attachments) ended ??= attachment.endedScopeOf(handle);
    });
    return ended;
  }

  /** Pins the handles that a command names, until it is answered. */
  #pinNamed(params: unknown, target: ScriptTarget | undefined): readonly Handle[] {
    let pinned: Handle[] | undefined;
    forEachNamedHandle(params, (handle) => {
      for (const attachment of this.#attachments) {
        const record = attachment.find(handle, target);
        if (record === undefined) continue;
        record.context?.ledger.pin(record);
        if (pinned === undefined) pinned = [record];
        else pinned.push(record);
      }
    });
    return pinned ?? NONE;
  }

  #mintingOf(method: string, params: unknown, target: ScriptTarget | undefined): Minting | undefined {
    if (target === undefined || !EVALUATIONS.has(method)) return undefined;
    if (member(params, 'resultOwnership') !== 'root') return undefined;
    const contextId = this.#origins.contextIdOf(target);
    const attachment = this.#attachmentFor(contextId);
    if (attachment?.tracks !== true) return undefined;
    // A handle that Puppeteer keeps for itself is no leak, and no scope may end it.
    if (keepsResult(method, params, target)) {
      return { attachment, target, contextId, scope: undefined, trace: undefined };
    }
    const scope = attachment.scopeFor(contextId);
    return { attachment, target, contextId, scope, trace: attachment.leakReport?.beginCommand(false) };
  }

  #onAnswer({ attachment, target, contextId, scope, trace }: Minting, answer: unknown): void {
    const result = evaluateResultOf(answer);
    if (result === undefined) return;
    const { realm, value, isException } = result;
    this.#origins.noteAnswer(realm, contextId);
    if (value === undefined || attachment.detached) return;
    attachment.mint(value, { realm, contextId, target }, { scope, trace, isException });
  }

  #disown(params: unknown, forward: () => Promise<unknown>): Promise<unknown> {
    const handles = disownedHandlesOf(params);
    const target = scriptTargetOf(params);
    const attachment = target && this.#attachmentFor(this.#origins.contextIdOf(target));
    if (handles === undefined || attachment === undefined || this.#connection.closed === true)
      return forward();
    if (this.#isBehindAction && !attachment.isNamed(handles, target as ScriptTarget)) {
      // By accident this answer is a barrier: when it comes, the page's messages and requests have arrived.
      this.#isBehindAction = false;
      return attachment.noteDisown(handles, target as ScriptTarget, forward);
    }
    attachment.release(handles, target as ScriptTarget);
    return this.#acknowledge();
  }

  /** Answers a disposal, never in the same tick. In a loop of awaited disposals the event loop gets a turn every few hundred. */
  async #acknowledge(): Promise<unknown> {
    if (++this.#acknowledged % BIDI_DISPOSALS_PER_TURN === 0)
      await new Promise((resolve) => setImmediate(resolve));
    return { type: 'success', result: {} };
  }

  #event(event: string, params: unknown): void {
    const realm = member(params, 'realm');
    switch (event) {
      case 'script.realmCreated':
        if (typeof realm === 'string') this.#origins.onCreated(realm, params);
        break;
      case 'script.realmDestroyed':
        if (typeof realm !== 'string') break;
        this.#origins.onDestroyed(realm);
        for (const attachment of this.#attachments) attachment.endRealm(realm);
        break;
      case 'browsingContext.contextDestroyed':
        this.#endContext(params);
        break;
      default:
        this.#mintOfEvent(event, params);
    }
  }

  #mintOfEvent(event: string, params: unknown): void {
    const values = valuesOfEvent(event, params);
    if (values.length === 0) return;
    const source = member(params, 'source');
    const realm = member(source, 'realm');
    if (typeof realm !== 'string') return;
    const context = member(source, 'context');
    const contextId =
      this.#origins.contextIdOf({ realm }) ?? (typeof context === 'string' ? context : undefined);
    const attachment = this.#attachmentFor(contextId);
    if (attachment?.tracks !== true) return;
    const trace = attachment.leakReport?.beginEvent(event, params);
    const owner = { scope: undefined, trace, isException: false };
    for (const value of values) attachment.mint(value, { realm, contextId, target: undefined }, owner);
  }

  /** Ends a tab, a window or a frame, with the frames in it. */
  #endContext(info: unknown): void {
    const contextId = member(info, 'context');
    if (typeof contextId !== 'string') return;
    const children = member(info, 'children');
    if (Array.isArray(children)) for (const child of children) this.#endContext(child);
    for (const attachment of this.#attachments) attachment.endContext(contextId);
    this.#origins.onContextDestroyed(contextId);
  }

  #attachmentFor(contextId: string | undefined): BidiAttachment | undefined {
    for (const attachment of this.#attachments) if (attachment.coversContext(contextId)) return attachment;
    return undefined;
  }
}

/**
 * Whether Puppeteer keeps the result for itself. A node brought to a page's own realm is for the caller; a node brought to
 * Puppeteer's realm is an element's double.
 */
function keepsResult(method: string, params: unknown, target: ScriptTarget): boolean {
  const isPagesOwn = 'realm' in target || target.sandbox === undefined;
  if (isPagesOwn && method === 'script.callFunction') {
    return bringsDocument(member(params, 'functionDeclaration'));
  }
  return rules.keepsResult(EVALUATIONS.get(method) ?? method, params as Record<string, unknown>);
}

/**
 * The commands that mint, by the similar commands of CDP, which Puppeteer's rules know: functions and scripts are the same.
 */
const EVALUATIONS: ReadonlyMap<string, string> = new Map([
  ['script.evaluate', 'Runtime.evaluate'],
  ['script.callFunction', 'Runtime.callFunctionOn'],
]);
/** Puppeteer passes handles as the values that are watched, not as bare ids, so no collection has to be deferred. */
const rules: PuppeteerRules = new PuppeteerRules({ hold: () => () => {} });
const NONE: readonly Handle[] = [];

/** Whether a command is one of CDP, passed through BiDi, that measures what the page holds. */
function isMeasurement(method: string, params: unknown): boolean {
  if (!method.startsWith('goog:cdp.')) return false;
  const command = member(params, 'method');
  return typeof command === 'string' && measuresMemory(command);
}
