/** The options of `attach`, checked and given their defaults in one place. */
import {
  BATCHER_OPTIONS,
  type BatcherOptions,
  type ResolvedBatcherOptions,
  resolveBatcherOptions,
} from '../batcher/options.ts';
import {
  booleanOption,
  choiceOption,
  integerOption,
  requireKnownOptions,
  requireObject,
  show,
} from '../runtime/option-checks.ts';
import { monotonicNow } from '../timers.ts';
import { garbageCollector, type RegistryFactory } from './collection.ts';

/** What `attach` takes; all of it may be left out. A bad one is refused with an error that names it and its value. */
export interface AttachOptions extends BatcherOptions {
  /**
   * Whether handles that the program lets go of are released. Default: `true` for a client's own sessions,
   * `false` for a session that you made yourself, of which you may keep bare ids.
   */
  readonly track?: boolean | undefined;
  /** Whether mints are bound to object groups, which die by one command; without, each id is released by its own. Default `true`. */
  readonly groups?: boolean | undefined;
  /** Whether the few survivors of a group are moved, so that the rest can die by one command. Default `true`. */
  readonly moveSurvivors?: boolean | undefined;
  /**
   * Bytes of its page that each handle is taken to hold, by which garbage collections are caused in this process as pages
   * grow; 0 or `false` for none, 2 ** 30 at the most. By default it starts at 65,536, and follows what the page's heap
   * holds for each handle.
   */
  readonly pressure?: number | false | undefined;
  /**
   * `'discard'` keeps the browser's own store of console messages empty, which otherwise holds the arguments
   * of the last thousand; not while the page counts by `console.count`, whose counters would begin anew. What it costs is
   * described in docs/options.md. Default `'keep'`.
   */
  readonly consoleEntries?: 'keep' | 'discard' | undefined;
  /**
   * Whether the line that asked for a handle is remembered, for `leaks()`. Puppeteer's methods are wrapped for that,
   * and each call of them costs a stack trace. Default `false`.
   */
  readonly traceLeaks?: boolean | undefined;
  /** For tests: plays the garbage collector. @internal */
  readonly createRegistry?: RegistryFactory | undefined;
  /** For tests: milliseconds, monotonic. @internal */
  readonly now?: (() => number) | undefined;
}

/** The options, with defaults for those left out. `track` has none here: each client has its own. */
export type ResolvedAttachOptions = ResolvedBatcherOptions & {
  readonly [Name in OwnOption]-?: Exclude<AttachOptions[Name], undefined>;
} & { readonly track: boolean | undefined; readonly pressure: number | 'follow' };
type OwnOption = Exclude<keyof AttachOptions, keyof BatcherOptions | 'track' | 'pressure'>;

const ATTACH_OPTIONS: readonly string[] = [
  ...BATCHER_OPTIONS,
  ...Object.keys({
    track: true,
    groups: true,
    moveSurvivors: true,
    pressure: true,
    consoleEntries: true,
    traceLeaks: true,
  } satisfies Record<Exclude<keyof AttachOptions, keyof BatcherOptions | InternalOption>, true>),
];
type InternalOption = 'createRegistry' | 'now';

/**
 * @param others options of one client alone, which are checked there.
 * @throws TypeError or RangeError that names the option and the value.
 */
export function resolveAttachOptions(
  options: AttachOptions = {},
  others: readonly string[] = [],
): ResolvedAttachOptions {
  requireObject('options', options);
  const { createRegistry: _registry, now: _now, ...given } = options;
  requireKnownOptions(given, [...ATTACH_OPTIONS, ...others]);
  return {
    ...resolveBatcherOptions(options),
    track: options.track === undefined ? undefined : booleanOption('track', options.track, true),
    groups: booleanOption('groups', options.groups, true),
    moveSurvivors: booleanOption('moveSurvivors', options.moveSurvivors, true),
    pressure: pressureOption(options.pressure),
    consoleEntries: choiceOption('consoleEntries', options.consoleEntries, 'keep', ['keep', 'discard']),
    traceLeaks: booleanOption('traceLeaks', options.traceLeaks, false),
    createRegistry: options.createRegistry ?? garbageCollector,
    now: options.now ?? monotonicNow,
  };
}

function pressureOption(value: unknown): number | 'follow' {
  if (value === undefined) return 'follow';
  if (value === false) return 0;
  if (value === true) throw new TypeError(`pressure must be a number of bytes or false, got ${show(value)}`);
  return integerOption('pressure', value, 0, 0, 2 ** 30);
}

const warnedOf = new Set<string>();

/**
 * Warns of each option that is not heeded, because the attachment that is there already has another value; once for each option.
 * It is no error: who attaches again need not know of the first `attach`.
 */
export function warnOfOtherOptions(options: AttachOptions, resolved: ResolvedAttachOptions): void {
  for (const name of ATTACH_OPTIONS) {
    const given: unknown = Reflect.get(options, name);
    const used: unknown = Reflect.get(resolved, name);
    if (name === 'signal' || given === undefined || used === undefined || warnedOf.has(name)) continue;
    if (given === used || (name === 'pressure' && given === false && used === 0)) continue;
    warnedOf.add(name);
    process.emitWarning(
      `attach: ${name}: ${show(given)} is not heeded, as this is attached already, with ${name}: ${show(used)}. Give it where you attach first.`,
      { code: 'CDP_RELEASE_OPTION_IGNORED' },
    );
  }
}
