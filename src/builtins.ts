/**
 * Node's modules, where there are any. They are asked for at run time rather than imported, so that the library also
 * loads where there is no Node: in a browser's page, in an extension's service worker.
 *
 * Invariant: nothing here throws where a module or a part of it is missing.
 */

/** A module of Node's, such as `node:timers`; `undefined` where there is none. */
export function builtin(name: string): unknown {
  const { getBuiltinModule } = (globalThis.process ?? {}) as Partial<NodeJS.Process>;
  return getBuiltinModule?.(name);
}

/** What `node:module` finds of a source map. */
interface SourceMap {
  findEntry(line: number, column: number): object | SourcePlace;
}

interface SourcePlace {
  readonly originalSource: string;
  readonly originalLine: number;
  readonly originalColumn: number;
}

/** The source map of a file, zero-based; `undefined` where Node has none. */
export function findSourceMap(file: string): SourceMap | undefined {
  const module = builtin('node:module') as
    | { findSourceMap?(file: string): SourceMap | undefined }
    | undefined;
  return module?.findSourceMap?.(file);
}

/** The part of a diagnostics channel of Node's that this library uses. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
}

/** A channel of `node:diagnostics_channel`; without Node one that nobody can listen to. */
export function diagnosticsChannel(name: string): DiagnosticsChannel {
  const module = builtin('node:diagnostics_channel') as
    | { channel?(name: string): DiagnosticsChannel }
    | undefined;
  return module?.channel?.(name) ?? { hasSubscribers: false, publish() {} };
}

/** The part of an `AsyncLocalStorage` that this library uses. */
export interface AsyncContext<Store> {
  run<Result>(store: Store, work: () => Result): Result;
  getStore(): Store | undefined;
  disable(): void;
}

/** An `AsyncLocalStorage`; without one a store that holds until the call itself returns, not through its awaits. */
export function asyncContext<Store>(): AsyncContext<Store> {
  const module = builtin('node:async_hooks') as
    | { AsyncLocalStorage?: new () => AsyncContext<Store> }
    | undefined;
  return module?.AsyncLocalStorage === undefined ? new CallContext<Store>() : new module.AsyncLocalStorage();
}

class CallContext<Store> {
  #store: Store | undefined;

  run<Result>(store: Store, work: () => Result): Result {
    const outer = this.#store;
    this.#store = store;
    try {
      return work();
    } finally {
      this.#store = outer;
    }
  }

  getStore(): Store | undefined {
    return this.#store;
  }

  disable(): void {
    this.#store = undefined;
  }
}
