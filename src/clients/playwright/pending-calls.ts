/**
 * The calls of Playwright's client half that are unanswered, and what each of them names.
 *
 * Invariant: a handle that is named by a call lives until the call is answered.
 */
import type { Call, ChannelOwner, ServerMessage } from './structure.ts';
import type { FollowedCall, WeakHandle } from './weak-handle.ts';

/** An unanswered call, and the handles that it keeps alive. */
interface PendingCall {
  readonly method: string;
  readonly handles: readonly WeakHandle[];
  readonly owners: readonly ChannelOwner[];
  readonly followed: FollowedCall | undefined;
}

const NO_HANDLES: readonly WeakHandle[] = [];

export class PendingCalls {
  readonly #calls = new Map<unknown, PendingCall>();
  /** The ids of calls whose answers may repeat handles: name handles that were handed out before. */
  readonly #repeating = new Set<unknown>();

  /** Whether the answer to this call may repeat handles. */
  mayRepeatHandles(id: unknown): boolean {
    return this.#repeating.has(id);
  }

  /** Whether a call is unanswered whose answer may repeat handles. */
  get hasRepeatingCall(): boolean {
    return this.#repeating.size > 0;
  }

  /** Notes a call that leaves, if it matters. Most calls name no handle, and are not noted. */
  begin(call: Call, known: ReadonlyMap<string, WeakHandle>, followed: FollowedCall | undefined): void {
    const handles = known.size > 0 ? handlesNamedBy(call, known) : NO_HANDLES;
    const isRepeating = repeatsHandles(call.method);
    if (handles.length === 0 && followed === undefined && !isRepeating) return;
    if (isRepeating) this.#repeating.add(call.id);
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
    this.#repeating.delete(id);
  }

  clear(): void {
    this.#calls.clear();
    this.#repeating.clear();
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

/** Whether the answer to a call may repeat handles: the server half keeps the last console messages, and hands them out again. */
function repeatsHandles(method: string): boolean {
  return method === 'consoleMessages';
}

/** How deep in a message guids are looked for. Below lies the script's own data, which may be large. */
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
