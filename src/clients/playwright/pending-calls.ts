/**
 * The calls of Playwright's client half that are unanswered, and what each of them names.
 *
 * Invariant: a handle that is named by a call lives until the call is answered.
 */
import type { Call, ChannelOwner, ServerMessage } from './structure.ts';
import type { FollowedCall, WeakHandle } from './weak-handle.ts';

/** A call on its way, and what it holds. */
interface PendingCall {
  readonly method: string;
  readonly handles: readonly WeakHandle[];
  readonly owners: readonly ChannelOwner[];
  readonly followed: FollowedCall | undefined;
}

const NO_HANDLES: readonly WeakHandle[] = [];

export class PendingCalls {
  readonly #calls = new Map<unknown, PendingCall>();
  /** The ids of those whose answer may name handles anew that were handed out before. */
  readonly #namingAgain = new Set<unknown>();

  /** Whether an answer is one that may name handles which were handed out before. */
  mayNameAgain(id: unknown): boolean {
    return this.#namingAgain.has(id);
  }

  /** Whether an answer is on its way that may name handles anew which were handed out before. */
  get mayNameHandlesAgain(): boolean {
    return this.#namingAgain.size > 0;
  }

  /** A call leaves. Most name no handle, and nothing is noted of them. */
  begin(call: Call, known: ReadonlyMap<string, WeakHandle>, followed: FollowedCall | undefined): void {
    const handles = known.size > 0 ? handlesNamedBy(call, known) : NO_HANDLES;
    const isNamingAgain = mayNameAgain(call.method);
    if (handles.length === 0 && followed === undefined && !isNamingAgain) return;
    if (isNamingAgain) this.#namingAgain.add(call.id);
    for (const handle of handles) handle.calls++;
    const owners = handles.flatMap(({ owner }) => owner ?? []);
    this.#calls.set(call.id, { method: call.method, handles, owners, followed });
  }

  answered({ id, result }: ServerMessage): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    for (const handle of call.handles) handle.calls--;
    if (call.followed !== undefined) {
      const guids: string[] = [];
      forEachGuid(result, undefined, (guid) => guids.push(guid));
      call.followed.answered(result === undefined ? undefined : guids);
    }
    this.#namingAgain.delete(id);
  }

  clear(): void {
    this.#calls.clear();
    this.#namingAgain.clear();
  }
}

function handlesNamedBy(
  { guid, params }: Call,
  known: ReadonlyMap<string, WeakHandle>,
): readonly WeakHandle[] {
  let handles: WeakHandle[] | undefined;
  const visit = (named: string): void => {
    const handle = known.get(named);
    if (handle === undefined) return;
    handles ??= [];
    handles.push(handle);
  };
  visit(guid);
  forEachGuid(params, 'value', visit);
  return handles ?? NO_HANDLES;
}

/** Only console messages are kept by the server half, and handed out again. */
function mayNameAgain(method: string): boolean {
  return method === 'consoleMessages';
}

/** How deep a message names objects: what lies below is the script's own data, and may be large. */
const DEEPEST = 4;

/** Calls `visit` with each guid that a message names. @param data the member that holds the script's own data only. */
export function forEachGuid(
  message: unknown,
  data: string | undefined,
  visit: (guid: string) => void,
  depth: number = 0,
): void {
  if (typeof message !== 'object' || message === null || depth > DEEPEST || ArrayBuffer.isView(message))
    return;
  if (Array.isArray(message)) {
    for (const element of message) forEachGuid(element, data, visit, depth + 1);
    return;
  }
  for (const name in message) {
    const member: unknown = Reflect.get(message, name);
    if (name === 'guid' && typeof member === 'string') visit(member);
    else if (typeof member === 'object' && name !== data) forEachGuid(member, data, visit, depth + 1);
  }
}
