/**
 * The owner of each session in this process. Several copies of this package may be loaded: by `import` and by `require`, in
 * two versions, in two realms of a test runner. So each copy leaves a note on the client's own object, under a symbol that
 * all copies share, and removes it when it no longer holds.
 *
 * Invariant: a session has one owner at a time. Others that want it wait as heirs, or leave it alone.
 */

/** The version of the notes' meaning. It rises when that changes; notes of another version are not read. */
const CONTRACT = 1;

interface Note<Value> {
  readonly contract: number;
  readonly value: Value;
}

/** Notes of one kind, on a client's objects. */
export class Notes<Value extends object> {
  readonly #key: symbol;
  /** For objects that take no property: frozen ones, and proxies that refuse. */
  readonly #elsewhere = new WeakMap<object, Note<Value>>();

  constructor(kind: string) {
    this.#key = Symbol.for(`cdp-release-batcher:${kind}`);
  }

  /** A note that any copy of this package has left on an object. */
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

  /** Removes the note, if it is still this one. */
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

/** An attachment that waits for a session that has an owner. */
export interface Heir {
  /**
   * The owner has given the session up: the heir may claim it now.
   *
   * @param contextIds contexts that the owner knew to be the pages' own.
   */
  succeed(contextIds: readonly unknown[]): void;
  /** Whether the heir no longer wants the session; then it is forgotten. */
  isOver(): boolean;
  /** The heir to a session that came by way of this one; `undefined` for none. */
  forChild?(child: object, targetType: string): Heir | undefined;
}

interface Owner {
  readonly heirs: Map<object, Heir>;
}

/** A session's owner holds this, and ends its ownership by it. */
export interface Ownership {
  /** The session is over: it has no owner any more. */
  end(): void;
  /** Gives the session up. The heirs are asked in the order of their claims; the first that still wants it becomes its owner. */
  giveUp(contextIds: readonly unknown[]): void;
}

const owners = new Notes<Owner>('owner');

/** The origin of a session, as far as its heirs depend on it. */
export interface Descent {
  readonly parent: object;
  readonly targetType: string;
}

/**
 * Makes the claimant the owner of a session that has none.
 *
 * @param claimant identifies the one that claims: it is an heir once, however often it claims.
 * @returns `undefined` if the session has an owner. Then the claimant waits as an heir, except where the owner belongs
 * to another version of this package; a warning says so, once.
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

/** Warns once that a session is left alone. */
export function warnOfOwner(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'A session was attached to already, by another entry point or another version of cdp-release-batcher, and stays with it.',
    { code: 'CDP_RELEASE_ATTACHED_TWICE' },
  );
}

/** Runs an action. @returns whether it succeeded: an error that a proxy throws here does not concern the caller. */
function attempt(action: () => boolean): boolean {
  try {
    return action();
  } catch {
    return false;
  }
}
