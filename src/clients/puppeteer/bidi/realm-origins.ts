/**
 * Which page a realm belongs to, by what the connection's events and answers have told of it so far: a realm of a
 * page's own names the page's browsing context, that of a worker names the realm by which it was started.
 */
import { DEEPEST_NESTING } from '../../../policy.ts';
import { member } from './remote-values.ts';
import type { ScriptTarget } from './structure.ts';

/** Of one realm: its page's browsing context, or the realm that it was started by. Neither is known of some workers. */
interface RealmOrigin {
  readonly contextId?: string;
  readonly owner?: string;
}

export class RealmOrigins {
  readonly #origins = new Map<string, RealmOrigin>();

  /** `script.realmCreated`. */
  onCreated(realm: string, params: unknown): void {
    this.#origins.set(realm, originOf(params));
  }

  /** `script.realmDestroyed`. */
  onDestroyed(realm: string): void {
    this.#origins.delete(realm);
  }

  /** A tab, a window or a frame is gone, and each realm with it. */
  onContextDestroyed(contextId: string): void {
    for (const [realm, origin] of this.#origins) {
      if (origin.contextId === contextId) this.#origins.delete(realm);
    }
  }

  /** An answer that was asked of a browsing context came from this realm: older than the tap, perhaps. */
  noteAnswer(realm: string, contextId: string | undefined): void {
    if (contextId !== undefined && !this.#origins.has(realm)) this.#origins.set(realm, { contextId });
  }

  /** The browsing context of the page that a target is in; `undefined` where that is not known. */
  contextIdOf(target: ScriptTarget): string | undefined {
    if ('context' in target) return target.context;
    let origin = this.#origins.get(target.realm);
    for (let depth = 0; origin?.owner !== undefined && depth < DEEPEST_NESTING; depth++) {
      origin = this.#origins.get(origin.owner);
    }
    return origin?.contextId;
  }
}

function originOf(params: unknown): RealmOrigin {
  const contextId = member(params, 'context');
  if (typeof contextId === 'string') return { contextId };
  const owners = member(params, 'owners');
  const owner: unknown = Array.isArray(owners) ? owners[0] : undefined;
  return typeof owner === 'string' ? { owner } : {};
}
