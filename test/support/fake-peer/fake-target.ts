/**
 * A page or a worker: its execution contexts, its console, and the order in which it takes commands. A page
 * takes them as they come. In a worker some interrupt, as in Chromium: a release overtakes whatever has not
 * begun, so a command that names the released id fails. In Chromium that is certain where the worker is busy
 * and luck where it is idle; here it is certain always.
 */
import { randomBytes } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import { deferred } from '../deferred.ts';
import type { PeerSession } from './peer-session.ts';
import { serverFault } from './protocol.ts';

export type TargetKind = 'page' | 'worker';

const INTERRUPTING_METHODS: ReadonlySet<string> = new Set([
  'Runtime.releaseObject',
  'Runtime.releaseObjectGroup',
  'Runtime.getHeapUsage',
]);

/** How many console calls the inspector's message storage keeps, arguments and all. */
const MAX_CONSOLE_ENTRIES = 1_000;

interface ConsoleEntry {
  readonly type: string;
  readonly args: readonly unknown[];
  readonly context: FakeContext;
}

interface Task {
  readonly method: string;
  readonly run: () => void;
}

export class FakeTarget {
  readonly id: string = randomBytes(16).toString('hex').toUpperCase();
  readonly isolateId: string = randomBytes(8).readBigInt64BE().toString();
  readonly kind: TargetKind;
  readonly sessions: Set<PeerSession> = new Set();
  readonly consoleEntries: ConsoleEntry[] = [];
  /** What `Runtime.getHeapUsage` counts for each object alive. */
  bytesPerObject = 1_000;
  readonly #contexts = new Map<number, FakeContext>();
  readonly #tasks: Task[] = [];
  #lastContextId = 0;
  #isClosed = false;
  #isCrashed = false;

  constructor(kind: TargetKind) {
    this.kind = kind;
    this.createContext();
  }

  get contexts(): FakeContext[] {
    return [...this.#contexts.values()];
  }

  get defaultContext(): FakeContext {
    return this.context();
  }

  hasContext(id: number): boolean {
    return this.#contexts.has(id);
  }

  /** The context of that id or unique id; the default one without either. */
  context(id?: unknown, uniqueId?: unknown): FakeContext {
    const context = this.contexts.find((candidate) => {
      if (uniqueId !== undefined) return candidate.uniqueId === uniqueId;
      return id === undefined ? candidate.isDefault : candidate.id === id;
    });
    if (!context) throw serverFault('Cannot find context with specified id');
    return context;
  }

  /** Adds a context: the default one, or an isolated world of that name. */
  createContext(worldName?: string): FakeContext {
    const context = new FakeContext(this, ++this.#lastContextId, worldName);
    this.#contexts.set(context.id, context);
    for (const session of this.sessions) session.runtime.contextCreated(context);
    return context;
  }

  destroyContext(context: FakeContext): void {
    this.#endContext(context, 'Execution context was destroyed.');
    const params = { executionContextId: context.id, executionContextUniqueId: context.uniqueId };
    for (const session of this.sessions) session.emit('Runtime.executionContextDestroyed', params);
  }

  /** Goes to another document: all contexts end, a new default one begins. */
  navigate(): void {
    for (const context of this.contexts) this.#endContext(context, 'Inspected target navigated or closed');
    this.consoleEntries.length = 0;
    for (const session of this.sessions) session.emit('Runtime.executionContextsCleared', {});
    this.createContext();
  }

  /** All that it held is gone, and what waits, or comes before it is loaded anew, is never answered. */
  crash(): void {
    this.#isCrashed = true;
    this.#tasks.length = 0;
    for (const context of this.contexts) this.#endContext(context, 'Inspected target navigated or closed');
    this.consoleEntries.length = 0;
    for (const session of this.sessions) session.emit('Inspector.targetCrashed', {});
  }

  reloadAfterCrash(): void {
    this.#isCrashed = false;
    for (const session of this.sessions) session.emit('Inspector.targetReloadedAfterCrash', {});
    this.createContext();
  }

  /** The page closes, the worker terminates: the sessions end, what waits is never answered. */
  close(): void {
    this.#isClosed = true;
    this.#tasks.length = 0;
    for (const session of this.sessions) session.end();
  }

  /** Queues a command, to be run in a macrotask of its own. */
  enqueue(method: string, run: () => void): void {
    if (this.#isClosed || this.#isCrashed) return;
    this.#tasks.push({ method, run });
    setImmediate(() => this.#runNext());
  }

  consoleCalled(type: string, args: readonly unknown[], context: FakeContext): void {
    this.consoleEntries.push({ type, args, context });
    if (this.consoleEntries.length > MAX_CONSOLE_ENTRIES) this.consoleEntries.shift();
    for (const session of this.sessions) session.runtime.consoleCalled(type, args, context);
  }

  /** Empties the message storage; V8 then releases the console's group, and does so in every session. */
  discardConsoleEntries(): void {
    this.consoleEntries.length = 0;
    for (const session of this.sessions) session.store.releaseGroup('console');
  }

  heapUsage(): { usedSize: number; totalSize: number } {
    const bound = [...this.sessions].reduce((sum, session) => sum + session.store.alive().length, 0);
    return { usedSize: bound * this.bytesPerObject, totalSize: bound * this.bytesPerObject };
  }

  #runNext(): void {
    const isInterrupting = ({ method }: Task): boolean => INTERRUPTING_METHODS.has(method);
    const first = this.kind === 'worker' ? this.#tasks.findIndex(isInterrupting) : 0;
    const task = first > 0 ? this.#tasks.splice(first, 1)[0] : this.#tasks.shift();
    task?.run();
  }

  #endContext(context: FakeContext, reason: string): void {
    this.#contexts.delete(context.id);
    for (const session of this.sessions) session.store.discardContext(context.id);
    context.end(reason);
  }
}

/** A global scope of a target: the document's own, or an isolated world. */
export class FakeContext {
  readonly id: number;
  readonly uniqueId: string;
  readonly isDefault: boolean;
  readonly description: object;
  readonly global: object;
  /** Resolves when the context has ended, with what is answered to those who still wait for something in it. */
  readonly ended: Promise<string>;
  readonly end: (reason: string) => void;
  readonly #target: FakeTarget;
  readonly #sandbox: object;

  constructor(target: FakeTarget, id: number, worldName: string | undefined) {
    const { promise, resolve } = deferred<string>();
    this.#target = target;
    this.id = id;
    this.uniqueId = `${target.isolateId}.${id}`;
    this.isDefault = worldName === undefined;
    this.ended = promise;
    this.end = resolve;
    this.#sandbox = createContext(this.#globals());
    this.global = runInContext('globalThis', this.#sandbox);
    const type = this.isDefault ? 'default' : 'isolated';
    const auxData = { isDefault: this.isDefault, type, frameId: target.id };
    this.description = { id, origin: '://', name: worldName ?? '', uniqueId: this.uniqueId, auxData };
  }

  run(expression: string): unknown {
    return runInContext(expression, this.#sandbox);
  }

  /** What a script expects of its surroundings. */
  #globals(): object {
    const report = (type: string, args: unknown[]): void => this.#target.consoleCalled(type, args, this);
    return {
      console: {
        log: (...args: unknown[]) => {
          if (args.length > 0) report('log', args);
        },
        clear: () => {
          this.#target.discardConsoleEntries();
          report('clear', ['console.clear']);
        },
      },
      setTimeout: (callback: () => void) => this.#target.enqueue('setTimeout', () => this.#runTask(callback)),
    };
  }

  /** A task of the page's own: what it throws is nobody's to catch, and is reported. */
  #runTask(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      for (const session of this.#target.sessions) session.runtime.exceptionThrown(error, this);
    }
  }
}
