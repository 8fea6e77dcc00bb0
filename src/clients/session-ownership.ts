/**
 * Who has a session in this process. Several copies of this package may be loaded: by `import` and by `require`, of two
 * versions, in two realms of a test runner. So what one has to know of another is noted on the client's own object, under a
 * symbol that all have in common, and taken away again when it no longer holds.
 *
 * Invariant: a session has one owner at a time. Whoever else wants it waits as an heir, or leaves it alone.
 */

/** What a note may be used for, and how. It counts up when that changes: the note of another contract is not read. */
const CONTRACT = 1;

interface Note<Value> {
  readonly contract: number;
  readonly value: Value;
}

/** Notes of one kind, on objects of a client's. */
export class Notes<Value extends object> {
  readonly #key: symbol;
  /** For objects that take no property: frozen ones, and proxies that refuse. */
  readonly #elsewhere = new WeakMap<object, Note<Value>>();

  constructor(kind: string) {
    this.#key = Symbol.for(`cdp-release-batcher:${kind}`);
  }

  /** What is noted on an object, by whichever copy of this package. */
  get(object: object): Value | undefined {
    const note = this.#read(object);
    return note?.contract === CONTRACT ? note.value : undefined;
  }

  /** Whether there is a note that only another version of this package can read. */
  hasForeign(object: object): boolean {
    const note = this.#read(object);
    return note !== undefined && note.contract !== CONTRACT;
  }

  set(object: object, value: Value): void {
    const note: Note<Value> = { contract: CONTRACT, value };
    const property = { value: note, configurable: true, enumerable: false, writable: false };
    if (!attempt(() => Reflect.defineProperty(object, this.#key, property)))
      this.#elsewhere.set(object, note);
  }

  /** Takes the note away, where it is this one still. */
  delete(object: object, value: Value): void {
    this.#elsewhere.delete(object);
    if (this.get(object) === value) attempt(() => Reflect.deleteProperty(object, this.#key));
  }

  #read(object: object): Note<Value> | undefined {
    let found: unknown;
    attempt(() => {
      found = Reflect.get(object, this.#key);
      return true;
    });
    return (found as Note<Value> | undefined) ?? this.#elsewhere.get(object);
  }
}

/** Whoever wants a session that has an owner. */
export interface Heir {
  /**
   * The owner has given the session up: the heir may claim it now.
   *
   * @param contextIds what the owner knew to be contexts of pages' own.
   */
  succeed(contextIds: readonly unknown[]): void;
  /** Whether the heir wants nothing any more; it is forgotten then. */
  isOver(): boolean;
  /** Who would have had a session that came by way of this one; `undefined` for nobody. */
  forChild?(child: object, targetType: string): Heir | undefined;
}

interface Owner {
  readonly heirs: Map<object, Heir>;
}

/** What a session's owner holds. */
export interface Ownership {
  /** The session is over: nobody has it any more. */
  end(): void;
  /** Gives it up, to the heirs in the order of their claims; the first that still wants it has it. */
  giveUp(contextIds: readonly unknown[]): void;
}

const owners = new Notes<Owner>('owner');

/** Where a session comes from, as far as its heirs follow from that. */
export interface Descent {
  readonly parent: object;
  readonly targetType: string;
}

/**
 * Makes the claimant the owner of a session that has none.
 *
 * @param claimant stands for who claims: it is an heir once, however often it does.
 * @returns `undefined` where the session has an owner: then the claimant waits as an heir. It does not where the owner
 * is of another version of this package; a warning says so, once.
 */
export function claim(
  session: object,
  claimant: object,
  heir: Heir,
  descent?: Descent,
): Ownership | undefined {
  if (owners.hasForeign(session)) {
    warnOfOwner();
    return undefined;
  }
  const present = owners.get(session);
  if (present !== undefined) {
    for (const [other, waiting] of present.heirs) if (waiting.isOver()) present.heirs.delete(other);
    present.heirs.set(claimant, heir);
    return undefined;
  }
  const owner: Owner = { heirs: new Map() };
  for (const [other, ofParent] of (descent && owners.get(descent.parent)?.heirs) ?? []) {
    const ofChild = ofParent.forChild?.(session, descent?.targetType ?? '');
    if (ofChild !== undefined) owner.heirs.set(other, ofChild);
  }
  owners.set(session, owner);
  return {
    end: () => owners.delete(session, owner),
    giveUp: (contextIds) => {
      owners.delete(session, owner);
      for (const each of owner.heirs.values()) each.succeed(contextIds);
    },
  };
}

let hasWarned = false;

/** Says once that a session is left alone. */
export function warnOfOwner(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'A session was attached to already, by another entry point or another version of cdp-release-batcher, and stays with it.',
    { code: 'CDP_RELEASE_ATTACHED_TWICE' },
  );
}

/** Whether it was done: what a proxy throws here is not the caller's affair. */
function attempt(action: () => boolean): boolean {
  try {
    return action();
  } catch {
    return false;
  }
}
