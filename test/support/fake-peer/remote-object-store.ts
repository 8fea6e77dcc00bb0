/**
 * One session's remote objects, as V8's inspector keeps them: a strong reference per wrap under an id that
 * is never given twice, in at most one group. Ids count from 1 in each context of each session, so two
 * sessions give the same ids to different objects. Every id that was released is remembered: whoever names
 * one again came too late.
 */
import { serverFault } from './protocol.ts';

export interface BoundObject {
  readonly objectId: string;
  readonly contextId: number;
  readonly value: unknown;
  /** Empty for an object without a group. */
  readonly group: string;
}

export class RemoteObjectStore {
  readonly #isolateId: string;
  readonly #hasContext: (contextId: number) => boolean;
  readonly #objects = new Map<string, BoundObject>();
  readonly #lastIds = new Map<number, number>();
  readonly #released = new Set<string>();

  constructor(isolateId: string, hasContext: (contextId: number) => boolean) {
    this.#isolateId = isolateId;
    this.#hasContext = hasContext;
  }

  /** Keeps the value alive under a fresh id, however often it is bound already. */
  bind(value: unknown, contextId: number, group: string): string {
    const number = (this.#lastIds.get(contextId) ?? 0) + 1;
    this.#lastIds.set(contextId, number);
    const objectId = `${this.#isolateId}.${contextId}.${number}`;
    this.#objects.set(objectId, { objectId, contextId, value, group });
    return objectId;
  }

  /** @throws what Chromium answers when an id names nothing. */
  find(objectId: string): BoundObject {
    const contextId = this.contextOf(objectId);
    if (contextId === undefined) throw serverFault('Cannot find context with specified id');
    const bound = this.#objects.get(objectId);
    if (!bound) throw serverFault('Could not find object with given id');
    return bound;
  }

  /** The living context that an id belongs to. */
  contextOf(objectId: string): number | undefined {
    const parts = /^(-?\d+)\.(-?\d+)\.-?\d+$/.exec(objectId);
    if (!parts) throw serverFault('Invalid remote object id');
    const contextId = Number(parts[2]);
    return parts[1] === this.#isolateId && this.#hasContext(contextId) ? contextId : undefined;
  }

  release(objectId: string): void {
    this.find(objectId);
    this.#objects.delete(objectId);
    this.#released.add(objectId);
  }

  /** Releases a group across all contexts. One that does not exist is released as well as any. */
  releaseGroup(group: string): void {
    if (group === '') return;
    for (const bound of this.#objects.values()) {
      if (bound.group === group) this.release(bound.objectId);
    }
  }

  /** A context has ended, and its objects with it. Nobody released them. */
  discardContext(contextId: number): void {
    for (const bound of this.#objects.values()) {
      if (bound.contextId === contextId) this.#objects.delete(bound.objectId);
    }
  }

  wasReleased(objectId: string): boolean {
    return this.#released.has(objectId);
  }

  /** The ids that are alive, of one group or of all. */
  alive(group?: string): string[] {
    const bound = [...this.#objects.values()];
    return bound
      .filter((object) => group === undefined || object.group === group)
      .map(({ objectId }) => objectId);
  }
}
