/**
 * The hook in one session of Playwright's server half: its commands, answers and events go through the tap, and each id that the
 * server is given is a `HeldId`. Methods are shadowed on the one object; unhooking leaves its own properties as found.
 */

import { PageActions } from '../../handles/acknowledge.ts';
import { type CommandRules, plainRules } from '../../handles/command-rules.ts';
import type { ScopeKind } from '../../handles/handle-table.ts';
import type { Present, SessionTap } from '../../handles/observe-session.ts';
import { type Forward, mintsOf, type Params, type Path, shapeOf } from '../../handles/protocol.ts';
import { ARRIVAL_MS } from '../../policy.ts';
import { clearTimeout, setTimeout, unref } from '../../timers.ts';
import { below, shadow } from '../session-hook.ts';
import { HeldId } from './held-id.ts';
import { type Holding, withHeldIds, withPlainIds } from './held-objects.ts';
import type { CdpSession } from './structure.ts';

/**
 * Counts no actions. Playwright's server never waits for the answer to a release, so no release has to be sent behind an action
 * for real.
 */
export const noActions: PageActions = Object.defineProperty(new PageActions(), 'count', {
  get: () => 0,
  set: () => {},
});

/**
 * Playwright evaluates by `Runtime.evaluate` only the scripts that it keeps as long as their context: no scope may end these. Of
 * what a command throws it reads the text alone. It names no groups, and nobody else uses its sessions.
 */
export const playwrightRules: CommandRules = {
  ...plainRules,
  namesNoGroups: true,
  keepsResult: (method) => method === 'Runtime.evaluate',
  dropsThrown: () => true,
};

/** Which ids become `HeldId`s, so that the garbage collector can tell of them. */
export interface HoldingOptions {
  /** Whether handles are tracked. If not, no id becomes one. */
  readonly tracks: boolean;
  /** With `consoleEntries: 'discard'` a console argument lives only while the script has a handle of it. */
  readonly holdsConsoleWeakly: boolean;
}

/** Where a command that the description does not list may name an object. */
const UNLISTED_NAMES = [['objectId']];

/**
 * Turns our refusal (the handle has ended with its scope) into the answer for an error thrown by the page. The script sees such
 * an error as it is. Any other failure the server reports as a navigation.
 */
function thrownInPage(error: unknown): unknown {
  const description = error instanceof Error ? error.message : String(error);
  const exception = { type: 'object', subtype: 'error', description };
  return {
    result: { type: 'undefined' },
    exceptionDetails: { exceptionId: 0, text: description, lineNumber: 0, columnNumber: 0, exception },
  };
}

const CONSOLE_EVENT = 'Runtime.consoleAPICalled';

let hooks = 0;

export class HookedSession {
  readonly session: CdpSession;
  readonly tap: SessionTap;
  readonly #number = ++hooks;
  readonly #options: HoldingOptions;
  readonly #sendBelow: () => CdpSession['send'];
  #arriving: unknown[] = [];
  #arrivalTimer: ReturnType<typeof setTimeout> | undefined;
  #isHooked = true;
  readonly #undo: (() => void)[];
  /** By method of a command, the function that makes the server's answer from the browser's. */
  readonly #presenters = new Map<string, Present | undefined>();
  readonly #holding: Holding;
  readonly #holdingOfConsole: Holding;

  constructor(session: CdpSession, tap: SessionTap, options: HoldingOptions) {
    this.session = session;
    this.tap = tap;
    this.#options = options;
    this.#holding = { hook: this.#number, isConsoleArgument: false, isWeak: false };
    this.#holdingOfConsole = {
      hook: this.#number,
      isConsoleArgument: true,
      isWeak: options.holdsConsoleWeakly,
    };
    this.#sendBelow = below(session, 'send');
    byNumber.set(this.#number, this);
    const emitBelow = below(session, 'emit');
    this.#undo = [
      shadow(session, 'send', (method: string, params?: Params) =>
        this.#isHooked ? this.#command(method, params) : this.#sendBelow().call(session, method, params),
      ),
      shadow(session, 'emit', (event: string | symbol, payload?: unknown, ...rest: unknown[]) => {
        const held = this.#isHooked && typeof event === 'string' ? this.#event(event, payload) : payload;
        return emitBelow().call(session, event, held, ...rest);
      }),
    ];
  }

  unhook(): void {
    this.#isHooked = false;
    byNumber.delete(this.#number);
    clearTimeout(this.#arrivalTimer);
    this.#arriving = [];
    for (const undo of this.#undo) undo();
  }

  /** Drops an object as collected: nobody can name it any more. */
  collect(id: HeldId): void {
    const record = this.#recordOf(id);
    if (record !== undefined) this.tap.ledger.drop(record, 'collected');
  }

  /** How the scope was opened that the object has ended with; `undefined` if no scope ended it. */
  endedScopeOf(id: HeldId): ScopeKind | undefined {
    return this.tap.ledger.endedScopeOf(id.toString());
  }

  #command(method: string, params: Params | undefined): PromiseLike<unknown> {
    const { session } = this;
    let isSent = false;
    const forward: Forward = (outgoing) => {
      isSent = true;
      return this.#sendBelow().call(session, method, outgoing);
    };
    if (method === 'Runtime.releaseObject') return this.#release(params, forward);
    const shape = shapeOf(method);
    // `HeldId`s where the description lists ids may stay: the tap reads them, and as JSON they are strings.
    if (shape === undefined) return this.tap.command(method, withPlainIds(params, UNLISTED_NAMES), forward);
    const present = params?.returnByValue === true ? undefined : this.#presenterOf(method, shape.mints);
    const answer = this.tap.command(method, params, forward, present);
    if (!isSent && method === 'Runtime.callFunctionOn') return answer.then(undefined, thrownInPage);
    return answer;
  }

  /**
   * Gives the function that puts `HeldId`s into the answers to a command; `undefined` if the answers are passed through. The server
   * reads only an exception's text, so exceptions get no `HeldId`. Commands by value give no other objects, so their answers are
   * passed through.
   */
  #presenterOf(method: string, mints: readonly Path[]): Present | undefined {
    if (!this.#options.tracks) return undefined;
    let present = this.#presenters.get(method);
    if (present === undefined && !this.#presenters.has(method)) {
      const paths = mints.filter(([first]) => first !== 'exceptionDetails');
      if (paths.length > 0)
        present = (answer) => (this.#isHooked ? withHeldIds(answer, paths, this.#holding) : answer);
      this.#presenters.set(method, present);
    }
    return present;
  }

  #release(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const id = params?.objectId;
    if (id instanceof HeldId && id.hook === this.#number) {
      const record = this.#recordOf(id);
      // If it is not live, its release is on the way: its scope has ended, or the script's handle was found collected.
      if (record?.state !== 'live') return Promise.resolve({});
      if (!id.isGivenOut) {
        this.tap.ledger.tidy(record);
        return Promise.resolve({});
      }
    }
    const plain = id instanceof HeldId ? { ...params, objectId: id.toString() } : params;
    return this.tap.command('Runtime.releaseObject', plain, forward);
  }

  #event(event: string, payload: unknown): unknown {
    this.tap.event(event, payload);
    const mints = mintsOf(event);
    if (mints === undefined || !this.#options.tracks || this.tap.ledger.hasEnded) return payload;
    const isConsole = event === CONSOLE_EVENT;
    if (isConsole && this.#options.holdsConsoleWeakly) this.#holdWhileArriving(payload);
    return withHeldIds(payload, mints, isConsole ? this.#holdingOfConsole : this.#holding);
  }

  /** Holds the arguments of a console message for `ARRIVAL_MS`: by then Playwright's own handles for them have reached the script. */
  #holdWhileArriving(payload: unknown): void {
    this.#arriving.push(payload);
    this.#arrivalTimer ??= unref(
      setTimeout(() => {
        this.#arrivalTimer = undefined;
        this.#arriving = [];
      }, ARRIVAL_MS),
    );
  }

  #recordOf(id: HeldId) {
    const { ledger } = this.tap;
    ledger.services.answers.run();
    return ledger.find(id.toString());
  }
}

const byNumber = new Map<number, HookedSession>();

/** The hook that made an id; `undefined` once it is undone. */
export function hookOf(id: HeldId): HookedSession | undefined {
  return byNumber.get(id.hook);
}
