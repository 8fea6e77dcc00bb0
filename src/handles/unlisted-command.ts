/**
 * A command that the generated description does not list, perhaps of a newer browser. Any string in its parameters may be an
 * object id, and its results may inherit the group of an object that it names.
 *
 * Invariant: an object of ours that such a command names stays until the command is answered. Where the answer carries
 * objects, the groups of the named ones are never released whole, since those objects may be in them.
 */
import type { DeferredTask } from '../runtime/event-loop.ts';
import { endGroup } from './groups.ts';
import { contextPrefixOf, mayBeId, type Params } from './protocol.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

/** Begins such a command; `undefined` if it names no object of ours, as most do: then it is not followed any further. */
export function beginUnlisted(
  ledger: SessionLedger,
  params: Params | undefined | null,
): UnlistedCommand | undefined {
  if (!params) return undefined;
  const named: string[] = [];
  forEachText(params, (text) => {
    if (mayBeId(text) && (ledger.hasOddIds || contextPrefixOf(text) !== '')) named.push(text);
  });
  if (named.length === 0) return undefined;
  ledger.services.answers.run();
  const pinned = ledger.pinEach(named);
  return pinned.length === 0 ? undefined : new UnlistedCommand(ledger, pinned);
}

export class UnlistedCommand implements DeferredTask {
  result: unknown;
  readonly trace: undefined;
  readonly group: undefined;
  readonly pinned: readonly Handle[];
  readonly #ledger: SessionLedger;
  readonly #groups: readonly Group[];

  /** @param pinned the handles that the command names; pinned by the caller, unpinned here. */
  constructor(ledger: SessionLedger, pinned: readonly Handle[]) {
    this.#ledger = ledger;
    this.pinned = pinned;
    this.#groups = pinned.flatMap(({ group }) => (group?.kind === 'own' ? group : []));
    for (const group of this.#groups) {
      group.pending++;
      endGroup(group); // So that few others get into a group that may have to go one by one.
    }
  }

  /** The parameters that are sent, with the new ids of moved objects in place of their former ones. */
  outgoing(params: Params | undefined): Params | undefined {
    const ledger = this.#ledger;
    if (params === undefined || !ledger.hasFormerIds) return params;
    return withTranslatedTexts(params, (text) => (mayBeId(text) ? ledger.currentId(text) : text));
  }

  /** Enters the answer. */
  run(): void {
    if (carriesObjects(this.result)) this.#unpin();
    else this.end();
  }

  /** The command is answered, and has minted nothing. */
  end(): void {
    if (!this.#ledger.isAbandoned) {
      for (const group of this.#groups) {
        group.pending--;
        this.#ledger.noteAnswered(group);
      }
    }
    this.#unpin();
  }

  #unpin(): void {
    for (const record of this.pinned) this.#ledger.unpin(record);
  }
}

/** Calls `visit` with each string in a command's parameters, however deep. Never throws. */
export function forEachText(params: Params, visit: (text: string) => void): void {
  let nested: Set<object> | undefined;
  const visitMember = (member: unknown): void => {
    if (typeof member === 'string') visit(member);
    else if (typeof member === 'object' && member !== null) {
      nested ??= new Set();
      nested.add(member);
    }
  };
  try {
    forEachMember(params, visitMember);
    // A set may grow while it is walked, and visits nothing twice.
    if (nested !== undefined) for (const value of nested) forEachMember(value, visitMember);
  } catch {
    // A getter threw. The client's own `send` meets it as well, and tells the caller.
  }
}

function forEachMember(value: object, visit: (member: unknown) => void): void {
  if (Array.isArray(value)) for (const element of value) visit(element);
  else if (!ArrayBuffer.isView(value)) for (const name in value) visit(Reflect.get(value, name));
}

/** A copy of `params` with each string replaced by what `translate` gives; only what changes is copied. */
export function withTranslatedTexts(params: Params, translate: (text: string) => string): Params {
  const known = new Map<object, unknown>();
  const translated = (value: unknown): unknown => {
    if (typeof value === 'string') return translate(value);
    if (typeof value !== 'object' || value === null) return value;
    if (known.has(value)) return known.get(value);
    known.set(value, value); // If it contains itself, the client's own `send` says so.
    const copy = translatedMembers(value, translated);
    known.set(value, copy);
    return copy;
  };
  return translated(params) as Params;
}

function translatedMembers(value: object, translated: (member: unknown) => unknown): object {
  let copy: object = value;
  for (const [name, member] of Object.entries(value)) {
    const translation = translated(member);
    if (translation === member) continue;
    if (copy === value) copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
    Reflect.set(copy, name, translation);
  }
  return copy;
}

function carriesObjects(result: unknown): boolean {
  let found = false;
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) seen.add(value);
  };
  try {
    visit(result);
    for (const value of seen) {
      if (typeof Reflect.get(value, 'objectId') === 'string') found = true;
      forEachMember(value, visit);
    }
  } catch {
    return true; // An answer that cannot be read may hold anything.
  }
  return found;
}
