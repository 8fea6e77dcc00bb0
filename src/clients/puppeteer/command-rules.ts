/**
 * What has to be known of Puppeteer's inside to treat its commands right: which results it keeps for
 * itself, and when it holds handles as bare ids. Found by reading versions 22 to 25; where a sign is
 * missing, as in a fork, the safe side is taken.
 */

import type { CommandRules } from '../../handles/command-rules.ts';
import type { CollectionHold } from '../../handles/ledger/session-releases.ts';
import type { Params } from '../../handles/protocol.ts';
import { setImmediate } from '../../timers.ts';

/**
 * Puppeteer ends every function so: its callers' with where they call, its own with `pptr:internal`. rebrowser ends
 * all alike, with `app.js`; of its own it then keeps the document alone beyond the command that names it next.
 */
const SOURCE = /\/\/[#@] sourceURL=\s*(\S+)\s*$/;
/** How Puppeteer brings a frame's document; since the call names where it stands, it looks like a caller's. */
const DOCUMENT = /^\(\)\s*=>\s*(?:\{\s*return document;?\s*\}|document)\s*(?:\/\/#|$)/;
/** Longer strings are taken for Puppeteer's own script of utilities (some 30,000 characters). */
const LONGEST_EXPRESSION_OF_CALLER = 2_000;
/** How that script of utilities ends, in versions 22 to 25 and their forks. */
const UTILITIES = /return module\.exports\.default;\s*\}\)\(\)\s*(?:\/\/#|$)/;
/** An installation is `addBinding`, the function that goes with it, and at last the script. */
const LINKS_OF_INSTALLATION = 2;

export class PuppeteerRules implements CommandRules {
  readonly #hold: CollectionHold;
  readonly #onSent: CommandRules['onSent'];
  /** Contexts of this session in which pages' own code runs: a node brought there is for the caller. */
  readonly #mainContexts = new Set<unknown>();
  /** How far down the chain of an installation the answers of this turn are. */
  #linkOfThisTurn: number | undefined;

  /** @param onSent told of each command that has nothing to do with the rules, as `onSent` is. */
  constructor(hold: CollectionHold, onSent: CommandRules['onSent'] = () => undefined) {
    this.#hold = hold;
    this.#onSent = onSent;
  }

  addMainContext(executionContextId: number): void {
    this.#mainContexts.add(executionContextId);
  }

  /** Takes over what another attachment's rules had heard of the same session. */
  learnFrom(former: PuppeteerRules): void {
    for (const id of former.#mainContexts) this.#mainContexts.add(id);
  }

  /**
   * Puppeteer caches a few handles for as long as a frame or an element lives: its utilities, the frame's
   * document, an element's double in the isolated world.
   */
  keepsResult(method: string, params: Params | undefined): boolean {
    switch (method) {
      case 'Runtime.callFunctionOn':
        return isPuppeteersFunction(params?.functionDeclaration);
      case 'Runtime.evaluate':
        return String(params?.expression).length > LONGEST_EXPRESSION_OF_CALLER;
      case 'DOM.resolveNode':
        return !this.#mainContexts.has(params?.executionContextId);
      default:
        return false;
    }
  }

  /**
   * The first call that needs Puppeteer's utilities in a context waits until they are installed there, with
   * its handles turned into ids already. Nothing found collected meanwhile is believed: not from the first
   * `addBinding` on, not during the commands that are sent in reaction to its answer. Where the utilities
   * are brought anew, as after `registerCustomQueryHandler`, the script is all that there is of it.
   */
  onSent(method: string, params: Params | undefined): (() => void) | undefined {
    let link: number;
    if (method === 'Runtime.addBinding') link = 0;
    else if (method === 'Runtime.evaluate' && isUtilities(params?.expression)) link = LINKS_OF_INSTALLATION;
    else if (!isEvaluation(method)) return this.#onSent(method, params);
    else if (this.#linkOfThisTurn === undefined) return undefined;
    else link = this.#linkOfThisTurn + 1;
    if (link > LINKS_OF_INSTALLATION) return undefined;
    this.#hold.hold();
    return () => {
      this.#linkOfThisTurn = link;
      // The reactions to an answer are microtasks: they have run, and sent what they would, by then.
      setImmediate(() => {
        this.#linkOfThisTurn = undefined;
        this.#hold.unhold();
      });
    };
  }

  /** Learns from the session's events which contexts are pages' own. */
  onEvent(event: string | symbol, payload: unknown): void {
    if (event === 'Runtime.executionContextsCleared') this.#mainContexts.clear();
    if (event === 'Runtime.executionContextDestroyed') {
      this.#mainContexts.delete((payload as { executionContextId?: number }).executionContextId);
    }
    if (event !== 'Runtime.executionContextCreated') return;
    const { context } = payload as { context?: { id?: number; auxData?: { isDefault?: boolean } } };
    if (context?.auxData?.isDefault === true && context.id !== undefined) this.addMainContext(context.id);
  }
}

function isEvaluation(method: string): boolean {
  return method === 'Runtime.evaluate' || method === 'Runtime.callFunctionOn';
}

function isUtilities(expression: unknown): boolean {
  if (typeof expression !== 'string' || expression.length <= LONGEST_EXPRESSION_OF_CALLER) return false;
  return UTILITIES.test(expression.slice(-200));
}

function isPuppeteersFunction(declaration: unknown): boolean {
  if (typeof declaration !== 'string') return true;
  // The name of the source stands at the end; the function before it may be long.
  const source = SOURCE.exec(declaration.slice(-1_000))?.[1];
  return source === undefined || source === 'pptr:internal' || bringsDocument(declaration);
}

/** Whether a function is the one by which Puppeteer brings a frame's document. */
export function bringsDocument(declaration: unknown): boolean {
  return typeof declaration !== 'string' || DOCUMENT.test(declaration.slice(0, 200));
}
