/**
 * The facts of Puppeteer's internals by which its commands are treated: which results it keeps for itself, and when it holds
 * handles as bare ids. Found by reading versions 22 to 25. If a sign is missing, as in a fork, handles are kept rather than
 * released.
 */

import type { CommandRules } from '../../handles/command-rules.ts';
import type { Params } from '../../handles/protocol.ts';
import type { CollectionHold } from '../../handles/unanswered.ts';
import { LONGEST_LIKELY_LINK_MS, LONGEST_LINK_MS } from '../../policy.ts';
import { setImmediate } from '../../timers.ts';

/**
 * Puppeteer ends every function with this: its callers' functions with the place of the call, its own with `pptr:internal`.
 * rebrowser ends all of them with `app.js`; there, of Puppeteer's own handles only the document is kept beyond the command
 * that names it next.
 */
const SOURCE = /\/\/[#@] sourceURL=\s*(\S+)\s*$/;
/** How Puppeteer's names of sources begin. */
const OWN_SOURCES = 'pptr:';
/** The function by which Puppeteer gets a frame's document. It carries the place of a call, so it looks like a caller's. */
const DOCUMENT = /^\(\)\s*=>\s*(?:\{\s*return document;?\s*\}|document)\s*(?:\/\/#|$)/;
/** The beginning of `SOURCE`. */
const SOURCE_MARK = 'sourceURL=';
/** Puppeteer's own script of utilities has some 30,000 characters. */
const FEWEST_OF_UTILITIES = 2_000;
/** How that script of utilities ends, in versions 22 to 25 and their forks. */
const UTILITIES = /return module\.exports\.default;\s*\}\)\(\)\s*(?:\/\/#|$)/;
/** An installation has three links: `addBinding`, the function that goes with it, and the script. */
const LINKS_OF_INSTALLATION = 2;

/** Answers in this turn of the event loop that were links of installations. */
interface AnsweredLinks {
  /** The place in the chain, from 0. */
  readonly link: number;
  /** The names of the bindings added. */
  readonly bindings: readonly string[];
}

/** The name of Puppeteer's utility world; a version may follow. */
const UTILITY_WORLD = /^__puppeteer_utility_world__/;

/** The part of the protocol's `ExecutionContextDescription` that is used. */
interface ContextDescription {
  readonly id?: number;
  readonly name?: string;
  readonly auxData?: { readonly isDefault?: boolean };
}

export class PuppeteerRules implements CommandRules {
  readonly #hold: CollectionHold;
  readonly #onSent: CommandRules['onSent'];
  /** Contexts of this session in which a page's own code runs: a node that is brought there is for the caller. */
  readonly #mainContexts = new Set<unknown>();
  /**
   * Contexts that Puppeteer made for its utilities. An element that it finds there is moved to the page's own context before it is
   * returned.
   */
  readonly #utilityContexts = new Set<unknown>();
  #linksOfThisTurn: AnsweredLinks | undefined;

  /** @param onSent the `onSent` for commands that these rules do not concern. */
  constructor(hold: CollectionHold, onSent: CommandRules['onSent'] = () => undefined) {
    this.#hold = hold;
    this.#onSent = onSent;
  }

  addMainContext(executionContextId: unknown): void {
    this.#mainContexts.add(executionContextId);
  }

  addUtilityContext(executionContextId: unknown): void {
    this.#utilityContexts.add(executionContextId);
  }

  /** An unknown context counts as the page's own. */
  isClientsOwn(executionContextId: number | undefined): boolean {
    return this.#utilityContexts.has(executionContextId);
  }

  /** The ids of these contexts, for another attachment's rules of the same session. */
  get mainContexts(): readonly unknown[] {
    return [...this.#mainContexts];
  }

  /**
   * Puppeteer caches a few handles for as long as a frame or an element lives: its utilities, the frame's document, an
   * element's double in the isolated world.
   */
  keepsResult(method: string, params: Params | undefined): boolean {
    switch (method) {
      case 'Runtime.callFunctionOn':
        return isPuppeteersFunction(params?.functionDeclaration);
      case 'Runtime.evaluate':
        return isKeptExpression(params?.expression);
      case 'DOM.resolveNode':
        return !this.#mainContexts.has(params?.executionContextId);
      default:
        return false;
    }
  }

  /**
   * Puppeteer keeps the values of an object's enumerable properties, and drops the others: above all the prototype. A
   * listing in its utilities' context is always its own, and the program never sees it.
   */
  heldOf(method: string, executionContextId: number | undefined): typeof enumerableValues | undefined {
    return method === 'Runtime.getProperties' && this.isClientsOwn(executionContextId)
      ? enumerableValues
      : undefined;
  }

  /**
   * Puppeteer reads an error's text, and drops the answer. Only what it sends is marked as its own: where a script sends a command
   * through Puppeteer's session, the script gets the answer.
   */
  dropsThrown(method: string, params: Params | undefined): boolean {
    const source = isEvaluation(method) ? sourceOf(textOfEvaluation(method, params) ?? '') : undefined;
    return source?.startsWith(OWN_SOURCES) === true;
  }

  /**
   * The first call that needs Puppeteer's utilities in a context waits until they are installed there, and its handles have
   * been turned into ids by then. Releases triggered by garbage collection are deferred from the first `addBinding` on, and
   * during the commands that are sent in reaction to its answer. Where the utilities are installed anew, as after
   * `registerCustomQueryHandler`, there is the script alone.
   *
   * A link is recognised by its text: the script by its end, the function by the binding that it names. A fork may use
   * another text. So a command that the client, and not its caller, sends in reaction to a link counts as a link too, but
   * not for long, since it may be a wait in the page.
   */
  onSent(method: string, params: Params | undefined): (() => void) | undefined {
    const before = this.#linksOfThisTurn;
    if (before === undefined && method === 'Runtime.callFunctionOn') return undefined;
    let link: number;
    let bindings: readonly string[] = [];
    let longestMs = LONGEST_LINK_MS;
    if (method === 'Runtime.addBinding') {
      link = 0;
      bindings = [String(params?.name)];
    } else if (method === 'Runtime.evaluate' && isUtilities(params?.expression)) {
      link = LINKS_OF_INSTALLATION;
    } else if (!isEvaluation(method)) {
      return this.#onSent(method, params);
    } else if (before === undefined) {
      return undefined;
    } else {
      link = before.link + 1;
      if (!before.bindings.some((name) => namesBinding(params, name))) {
        if (link > LINKS_OF_INSTALLATION || !isClientsOwn(method, params)) return undefined;
        longestMs = LONGEST_LIKELY_LINK_MS;
      }
    }
    const unhold = this.#hold.hold(longestMs);
    return () => {
      this.#linksOfThisTurn = { link, bindings: [...(this.#linksOfThisTurn?.bindings ?? []), ...bindings] };
      // The reactions to an answer are microtasks: by then they have run, and sent their commands.
      setImmediate(() => {
        this.#linksOfThisTurn = undefined;
        unhold();
      });
    };
  }

  /** Learns from the session's events which contexts are the pages' own. */
  onEvent(event: string | symbol, payload: unknown): void {
    if (event === 'Runtime.executionContextsCleared') {
      this.#mainContexts.clear();
      this.#utilityContexts.clear();
    } else if (event === 'Runtime.executionContextDestroyed') {
      const { executionContextId } = payload as { executionContextId?: number };
      this.#mainContexts.delete(executionContextId);
      this.#utilityContexts.delete(executionContextId);
    } else if (event === 'Runtime.executionContextCreated') {
      this.#onContext((payload as { context?: ContextDescription }).context);
    }
  }

  #onContext({ id, name, auxData }: ContextDescription = {}): void {
    if (id === undefined) return;
    if (auxData?.isDefault === true) this.addMainContext(id);
    else if (name !== undefined && UTILITY_WORLD.test(name)) this.addUtilityContext(id);
  }
}

function enumerableValues(listed: unknown): ReadonlySet<unknown> {
  const values = new Set<unknown>();
  const properties = (listed as { result?: readonly { enumerable?: boolean; value?: unknown }[] } | undefined)
    ?.result;
  for (const { enumerable, value } of properties ?? []) if (enumerable) values.add(value);
  return values;
}

function isEvaluation(method: string): boolean {
  return method === 'Runtime.evaluate' || method === 'Runtime.callFunctionOn';
}

/**
 * The text of a parameter: a string, or a String object. Puppeteer makes such an object of an expression to note the place
 * of the call, and sends it where the expression names its source itself.
 */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof String ? value.valueOf() : undefined;
}

function isUtilities(expression: unknown): boolean {
  const text = textOf(expression);
  return text !== undefined && text.length > FEWEST_OF_UTILITIES && UTILITIES.test(text.slice(-200));
}

/**
 * Whether an expression installs the utilities. A fork may end them otherwise: then a long expression of its own counts.
 */
function isKeptExpression(expression: unknown): boolean {
  const text = textOf(expression);
  if (text === undefined) return true;
  return isUtilities(text) || (text.length > FEWEST_OF_UTILITIES && isOwnSource(text));
}

/** Whether the client sends an evaluation for itself, as far as can be told. */
function isClientsOwn(method: string, params: Params | undefined): boolean {
  const text = textOfEvaluation(method, params);
  return text === undefined || isOwnSource(text);
}

/** What a `Runtime.evaluate` or `Runtime.callFunctionOn` runs. */
function textOfEvaluation(method: string, params: Params | undefined): string | undefined {
  return textOf(method === 'Runtime.evaluate' ? params?.expression : params?.functionDeclaration);
}

/**
 * Whether an evaluation belongs to a binding: two arguments are its name and the prefix of that, or the text contains it.
 */
function namesBinding(params: Params | undefined, binding: string): boolean {
  const { arguments: given, expression } = params ?? {};
  const text = textOf(expression);
  if (text !== undefined) return text.length <= FEWEST_OF_UTILITIES && text.includes(binding);
  if (!Array.isArray(given)) return false;
  const values = given.map((argument: { readonly value?: unknown } | null) => argument?.value);
  return values.some((name) => values.some((prefix) => `${String(prefix)}${String(name)}` === binding));
}

function isPuppeteersFunction(declaration: unknown): boolean {
  const text = textOf(declaration);
  return text === undefined || isOwnSource(text) || bringsDocument(text);
}

/** Whether a text of Puppeteer's is not marked as a caller's. */
function isOwnSource(text: string): boolean {
  const source = sourceOf(text);
  return source === undefined || source === 'pptr:internal';
}

/** The name that a text gives its source. It stands at the end, so it is looked for from there, however long the text is. */
function sourceOf(text: string): string | undefined {
  const mark = text.lastIndexOf(SOURCE_MARK);
  return mark < 0 ? undefined : SOURCE.exec(text.slice(Math.max(0, mark - 8)))?.[1];
}

/** Whether a function is the one by which Puppeteer gets a frame's document. */
export function bringsDocument(declaration: unknown): boolean {
  const text = textOf(declaration);
  return text === undefined || DOCUMENT.test(text.slice(0, 200));
}
