/**
 * `node --import cdp-release-batcher/register scrape.mjs`: every Puppeteer and Playwright that the script loads, under
 * whatever name and in whatever way, launches browsers that are attached. The script is not changed.
 */
import Module from 'node:module';
import { types } from 'node:util';
import threads, { type WorkerOptions } from 'node:worker_threads';
import { registerPlaywright } from '../playwright/registration.ts';
import { load, withCalls } from './register-hooks.ts';
import { ordersOfEnvironment, RegisterReport } from './register-orders.ts';
import { answerCalls, followInstance, noteSeen, register } from './registration.ts';

type Compile = (this: unknown, source: string, file: string, ...rest: unknown[]) => unknown;
interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown): string;
  readonly prototype: { _compile: Compile };
  registerHooks?(synchronousHooks: { readonly load: typeof load }): void;
}
const loader = Module as unknown as Loader;

/** The specifier that preloads this file: the package's name, or a path, as the doctor uses. */
const OWN_PRELOAD =
  /cdp-release-batcher[\\/]register|[\\/]clients[\\/]puppeteer[\\/]register\.js$|[\\/]doctor[\\/]preload\.js$/;

const { options, reports } = ordersOfEnvironment();
const report = new RegisterReport();
register({ options, onAttached: reports ? report.onAttached : () => {} });
// Given twice, by --import and by --require, there are two copies; the one that sees the browsers reports.
if (answerCalls(registerPlaywright) && reports) process.on('exit', () => report.print());
hookCommonJs();
hookThreads();
if (loader.registerHooks !== undefined) {
  loader.registerHooks({ load });
} else {
  // On a thread of its own, where this Node has no other way.
  Module.register(new URL('./register-hooks.js', import.meta.url));
  hookRequiredModules();
}

/** Node 20 has no public hook for `require`. Instrumentations and compilers use this one. */
function hookCommonJs(): void {
  const { _compile: compile } = loader.prototype;
  loader.prototype._compile = function (source, file, ...rest) {
    const changed = typeof source === 'string' ? withCalls(source, file) : undefined;
    return compile.call(this, changed ?? source, file, ...rest);
  };
}

/** A thread has the options that this process was started with, unless it is given options of its own. */
function hookThreads(): void {
  const { Worker } = threads;
  const preloads = preloadsOf(process.execArgv);
  if (preloads.length === 0) return; // By NODE_OPTIONS, which threads have in any case.
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const { execArgv } = options;
      const isOwn = Array.isArray(execArgv) && !preloads.every((argument) => execArgv.includes(argument));
      super(file, isOwn ? { ...options, execArgv: [...preloads, ...execArgv] } : options);
    }
  };
  Object.defineProperty(threads.Worker, 'name', { value: 'Worker' });
  Module.syncBuiltinESMExports();
}

/** The arguments to Node that preload this file, or another that does. */
function preloadsOf(execArgv: readonly string[]): string[] {
  const found: string[] = [];
  for (const [index, argument] of execArgv.entries()) {
    const [flag = '', value] = argument.split(/=(.*)/s);
    if (!['--import', '--require', '-r'].includes(flag)) continue;
    const preloaded = value ?? execArgv[index + 1] ?? '';
    if (!OWN_PRELOAD.test(preloaded)) continue;
    found.push(...(value === undefined ? [flag, preloaded] : [argument]));
  }
  return found;
}

/** Where no hook sees an ES module that `require()` loads, such as Puppeteer 25, the module is examined afterwards. */
function hookRequiredModules(): void {
  const { _load } = loader;
  const replacements = new WeakMap<object, object>();
  loader._load = function (this: unknown, request, parent, isMain) {
    const exports = _load.call(this, request, parent, isMain) as RequiredModule;
    if (!types.isModuleNamespaceObject(exports)) return exports;
    const fileOf = (): string => loader._resolveFilename(request, parent);
    const replacement = replacements.get(exports) ?? withAttachedLaunch(exports, fileOf) ?? exports;
    replacements.set(exports, replacement);
    return replacement;
  };
}

type RequiredModule = object & { readonly default?: object };

/** The same exports, but with the `launch` that the instance has now. @returns `undefined` for anything but a Puppeteer. */
function withAttachedLaunch(exports: RequiredModule, fileOf: () => string): object | undefined {
  const instance = defaultOf(exports);
  if (instance === undefined || !Object.hasOwn(instance, 'launch')) return undefined;
  const file = fileOf();
  if (!noteSeen(instance, file, () => false)) return undefined;
  followInstance(instance, file);
  const replacement = Object.create(null) as object;
  for (const name of Reflect.ownKeys(exports)) {
    const of = name === 'launch' ? instance : exports;
    Object.defineProperty(replacement, name, {
      enumerable: Object.prototype.propertyIsEnumerable.call(exports, name),
      configurable: true,
      get: (): unknown => Reflect.get(of, name),
    });
  }
  return replacement;
}

/** A module that is still being loaded, in a circle, throws. */
function defaultOf(exports: RequiredModule): object | undefined {
  try {
    return typeof exports.default === 'object' && exports.default !== null ? exports.default : undefined;
  } catch {
    return undefined;
  }
}
