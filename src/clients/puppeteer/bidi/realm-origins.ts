/**
 * Knows the page that each realm belongs to, from the connection's events and answers: a page's realm names the page's browsing
 * context, and a worker's realm names the realm that started it.
 */
import { DEEPEST_NESTING } from '../../../policy.ts';
import { member } from './remote-values.ts';
import type { ScriptTarget } from './structure.ts';

/** The browsing context of a realm's page, or the realm that started it. For some workers neither is known. */
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

  /** Forgets the realms of a tab, a window or a frame that is gone. */
  onContextDestroyed(contextId: string): void {
    for (const [realm, origin] of this.#origins) {
      if (origin.contextId === contextId) this.#origins.delete(realm);
    }
  }

  /** Notes that a command for a browsing context was answered by this realm. The realm may be older than the tap. */
  noteAnswer(realm: string, contextId: string | undefined): void {
    if (contextId !== undefined && !this.#origins.has(realm)) this.#origins.set(realm, { contextId });
  }

  /** The browsing context of the page that a target belongs to; `undefined` if it is not known. */
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
