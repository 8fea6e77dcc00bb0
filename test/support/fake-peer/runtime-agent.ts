/**
 * The `Runtime` domain of one session, as far as remote objects are concerned. Expressions are real
 * JavaScript, run in the target's own `node:vm` contexts; what is modelled here is who gets an id, in which
 * group, and who is refused. Faithful to `v8/src/inspector`: model-against-chromium.test.ts holds one and
 * the same conversation with both.
 */
import { types } from 'node:util';
import type { FakeContext, FakeTarget } from './fake-target.ts';
import { methodNotFound, type Params, serverFault, stringParam } from './protocol.ts';
import { describeByValue, describeProperties, describeValue, type RemoteObject } from './remote-object.ts';
import type { RemoteObjectStore } from './remote-object-store.ts';

/** The group of console arguments and uncaught errors. */
const CONSOLE_GROUP = 'console';

/** What an evaluation, a call or a promise came to. */
interface Completion {
  readonly value: unknown;
  readonly thrown: 'no' | 'Uncaught' | 'Uncaught (in promise)';
}

type Method = (params: Params) => unknown;

export class RuntimeAgent {
  readonly #target: FakeTarget;
  readonly #store: RemoteObjectStore;
  readonly #emit: (method: string, params: Params) => void;
  readonly #methods: ReadonlyMap<string, Method>;
  #exceptionId = 0;
  isEnabled = false;

  constructor(target: FakeTarget, store: RemoteObjectStore, emit: (method: string, params: Params) => void) {
    this.#target = target;
    this.#store = store;
    this.#emit = emit;
    this.#methods = new Map<string, Method>([
      ['Runtime.enable', () => this.#enable()],
      ['Runtime.disable', () => this.#disable()],
      ['Runtime.evaluate', (params) => this.#evaluate(params)],
      ['Runtime.callFunctionOn', (params) => this.#callFunctionOn(params)],
      ['Runtime.getProperties', (params) => this.#getProperties(params)],
      ['Runtime.awaitPromise', (params) => this.#awaitPromise(params)],
      ['Runtime.releaseObject', (params) => this.#releaseObject(params)],
      ['Runtime.releaseObjectGroup', (params) => this.#releaseObjectGroup(params)],
      ['Runtime.discardConsoleEntries', () => this.#discardConsoleEntries()],
      ['Runtime.getHeapUsage', () => target.heapUsage()],
      ['Runtime.runIfWaitingForDebugger', () => ({})],
      ['HeapProfiler.collectGarbage', () => this.#collectGarbage()],
    ]);
  }

  /**
   * Executes one command.
   *
   * @throws {ProtocolFault} as Chromium refuses, now or from the promise returned.
   */
  execute(method: string, params: Params): unknown {
    const run = this.#methods.get(method);
    if (!run) throw methodNotFound(method);
    return run(params);
  }

  contextCreated(context: FakeContext): void {
    if (this.isEnabled) this.#emit('Runtime.executionContextCreated', { context: context.description });
  }

  consoleCalled(type: string, args: readonly unknown[], context: FakeContext): void {
    if (!this.isEnabled) return;
    this.#emit('Runtime.consoleAPICalled', {
      type,
      args: args.map((value) => this.#wrap(value, context.id, CONSOLE_GROUP)),
      executionContextId: context.id,
      timestamp: 0,
    });
  }

  exceptionThrown(value: unknown, context: FakeContext): void {
    if (!this.isEnabled) return;
    const exceptionDetails = {
      ...this.#exceptionDetails('Uncaught', value, context, CONSOLE_GROUP),
      executionContextId: context.id,
    };
    this.#emit('Runtime.exceptionThrown', { timestamp: 0, exceptionDetails });
  }

  #enable(): object {
    if (this.isEnabled) return {};
    this.isEnabled = true;
    for (const context of this.#target.contexts) this.contextCreated(context);
    for (const { type, args, context } of this.#target.consoleEntries)
      this.consoleCalled(type, args, context);
    return {};
  }

  #disable(): object {
    this.isEnabled = false;
    return {};
  }

  #evaluate(params: Params): unknown {
    const expression = stringParam(params, 'expression');
    const context = this.#target.context(params.contextId, params.uniqueContextId);
    const completion = attempt(() => context.run(expression));
    return this.#finish(completion, params, context, groupOf(params) ?? '');
  }

  #callFunctionOn(params: Params): unknown {
    const declaration = stringParam(params, 'functionDeclaration');
    const receiver = typeof params.objectId === 'string' ? this.#store.find(params.objectId) : undefined;
    if (!receiver && params.executionContextId === undefined && params.uniqueContextId === undefined) {
      throw serverFault('Either objectId or executionContextId or uniqueContextId must be specified');
    }
    const context = this.#target.context(
      receiver?.contextId ?? params.executionContextId,
      params.uniqueContextId,
    );
    const group = groupOf(params) ?? receiver?.group ?? '';
    const args = ((params.arguments ?? []) as Params[]).map((argument) => this.#argument(argument, context));
    const compiled = attempt(() => context.run(`(${declaration})`));
    if (compiled.thrown !== 'no') return this.#finish(compiled, params, context, group);
    const { value: callee } = compiled;
    if (typeof callee !== 'function') throw serverFault('Given expression does not evaluate to a function');
    const completion = attempt(() => Reflect.apply(callee, receiver ? receiver.value : context.global, args));
    return this.#finish(completion, params, context, group);
  }

  #argument(argument: Params, context: FakeContext): unknown {
    if (typeof argument.objectId === 'string') {
      if (this.#store.contextOf(argument.objectId) !== context.id) {
        throw serverFault('Argument should belong to the same JavaScript world as target object');
      }
      return this.#store.find(argument.objectId).value;
    }
    if (typeof argument.unserializableValue === 'string') return context.run(argument.unserializableValue);
    return argument.value;
  }

  #getProperties(params: Params): object {
    const { value, contextId, group } = this.#store.find(stringParam(params, 'objectId'));
    const bind = (property: unknown): string => this.#store.bind(property, contextId, group);
    return describeProperties(value as object, params.ownProperties === true, bind);
  }

  #awaitPromise(params: Params): unknown {
    const { value, contextId, group } = this.#store.find(stringParam(params, 'promiseObjectId'));
    if (!types.isPromise(value)) throw serverFault('Could not find promise with given id');
    return this.#settle(value, params, this.#target.context(contextId), group);
  }

  #releaseObject(params: Params): object {
    this.#store.release(stringParam(params, 'objectId'));
    return {};
  }

  #releaseObjectGroup(params: Params): object {
    this.#store.releaseGroup(stringParam(params, 'objectGroup'));
    return {};
  }

  #discardConsoleEntries(): object {
    this.#target.discardConsoleEntries();
    return {};
  }

  #collectGarbage(): object {
    globalThis.gc?.();
    return {};
  }

  #finish(completion: Completion, params: Params, context: FakeContext, group: string): unknown {
    if (params.awaitPromise === true && completion.thrown === 'no') {
      return this.#settle(Promise.resolve(completion.value), params, context, group);
    }
    return this.#answer(completion, params, context, group);
  }

  /** Answers when the promise settles, or when its context is gone. */
  #settle(promise: Promise<unknown>, params: Params, context: FakeContext, group: string): Promise<unknown> {
    const settled = promise.then(
      (value): Completion => ({ value, thrown: 'no' }),
      (value: unknown): Completion => ({ value, thrown: 'Uncaught (in promise)' }),
    );
    return Promise.race([settled, context.ended]).then((completion) => {
      if (typeof completion === 'string') throw serverFault(completion);
      return this.#answer(completion, params, context, group);
    });
  }

  /** A throw mints twice: what was thrown is the result, and the exception in its details. */
  #answer({ value, thrown }: Completion, params: Params, context: FakeContext, group: string): object {
    // Thrown outright, an object is never copied: `returnByValue` holds for results and for rejections.
    const isCopied = params.returnByValue === true && thrown !== 'Uncaught';
    const result = isCopied ? describeByValue(value) : this.#wrap(value, context.id, group);
    if (thrown === 'no') return { result };
    return { result, exceptionDetails: this.#exceptionDetails(thrown, value, context, group) };
  }

  #exceptionDetails(text: string, value: unknown, context: FakeContext, group: string): Params {
    const exception = this.#wrap(value, context.id, group);
    return { exceptionId: ++this.#exceptionId, text, lineNumber: 0, columnNumber: 0, exception };
  }

  #wrap(value: unknown, contextId: number, group: string): RemoteObject {
    return describeValue(value, (object) => this.#store.bind(object, contextId, group));
  }
}

function groupOf(params: Params): string | undefined {
  return typeof params.objectGroup === 'string' ? params.objectGroup : undefined;
}

function attempt(run: () => unknown): Completion {
  try {
    return { value: run(), thrown: 'no' };
  } catch (value) {
    return { value, thrown: 'Uncaught' };
  }
}
