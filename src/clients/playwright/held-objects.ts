/** Puts `HeldId`s into answers and events from the browser, and replaces them by strings in commands. */
import { type Params, type Path, type RemoteObject, replacedAt } from '../../handles/protocol.ts';
import { HeldId } from './held-id.ts';

/** How the `HeldId`s of one message are made. */
export interface Holding {
  readonly hook: number;
  readonly isConsoleArgument: boolean;
  readonly isWeak: boolean;
}

/** A copy of an answer or an event in which each RemoteObject has a `HeldId`; the message itself if it has no RemoteObject. */
export function withHeldIds(message: unknown, paths: readonly Path[], holding: Holding): unknown {
  const hold = (leaf: unknown): unknown => {
    if (!hasId(leaf)) return leaf;
    return { ...leaf, objectId: new HeldId(leaf, holding.hook, holding.isConsoleArgument, holding.isWeak) };
  };
  let held = message;
  for (const path of paths) held = replacedAt(held, path, hold);
  return held;
}

/** A copy of a command's parameters in which ids are strings again; the parameters themselves if all ids are strings. */
export function withPlainIds(params: Params | undefined, paths: readonly Path[]): Params | undefined {
  let plain: unknown = params;
  for (const path of paths) plain = replacedAt(plain, path, plainId);
  return plain as Params | undefined;
}

function plainId(id: unknown): unknown {
  return id instanceof HeldId ? id.toString() : id;
}

function hasId(value: unknown): value is RemoteObject & { objectId: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { objectId } = value as RemoteObject;
  return typeof objectId === 'string' && objectId !== '';
}
