/** Options shared by everything that batches, and the one place where they are checked and defaulted. */
import { LONGEST_TIMER_MS } from '../single-flight/time.ts';

/** What a `ReleaseBatcher` takes; all of it may be left out. A bad one is refused with an error that names it and its value. */
export interface BatcherOptions {
  /** Commands in one batch, 1 to 1,024. Default 64. */
  readonly maxBatchSize?: number | undefined;
  /** Batches of one session that may be unanswered at a time, 1 to 65,536. Default 8. */
  readonly maxInFlightBatches?: number | undefined;
  /** How long a batch may stay unanswered, in milliseconds, before its slot is freed. Default 30,000. */
  readonly releaseTimeoutMs?: number | undefined;
  /** Releases that may wait, all sessions together; past it the newest is dropped, counted, and warned of once. Default 1,000,000. */
  readonly maxQueueSize?: number | undefined;
  /** Aborting it closes the batcher, or detaches what is attached. Of a batcher, what waits is dropped and counted. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** The names of all options, so that others can be told of. */
export const BATCHER_OPTIONS: readonly string[] = Object.keys({
  maxBatchSize: true,
  maxInFlightBatches: true,
  releaseTimeoutMs: true,
  maxQueueSize: true,
  signal: true,
} satisfies Record<keyof BatcherOptions, true>);

export interface ResolvedBatcherOptions {
  readonly maxBatchSize: number;
  readonly maxInFlightBatches: number;
  readonly releaseTimeoutMs: number;
  readonly maxQueueSize: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * @throws TypeError if an option has the wrong type, RangeError if it is out of range; the message
 * names the option and the value.
 */
export function resolveBatcherOptions(options: BatcherOptions = {}): ResolvedBatcherOptions {
  requireObject('options', options);
  return {
    maxBatchSize: integerOption('maxBatchSize', options.maxBatchSize, 64, 1, 1024),
    maxInFlightBatches: integerOption('maxInFlightBatches', options.maxInFlightBatches, 8, 1, 65_536),
    releaseTimeoutMs: integerOption(
      'releaseTimeoutMs',
      options.releaseTimeoutMs,
      30_000,
      1,
      LONGEST_TIMER_MS,
    ),
    maxQueueSize: integerOption('maxQueueSize', options.maxQueueSize, 1_000_000, 1, Number.MAX_SAFE_INTEGER),
    signal: signalOption('signal', options.signal),
  };
}

/** @throws TypeError for an option that there is not: most likely another one, misspelt. */
export function requireKnownOptions(options: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new TypeError(`there is no option ${show(name)}; there are: ${known.join(', ')}`);
  }
}

/** @throws TypeError for what is no function. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${show(value)}`);
}

export function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${show(value)}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${show(value)}`);
  }
  return value;
}

export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${show(value)}`);
  return value;
}

export function choiceOption<Choice extends string>(
  name: string,
  value: unknown,
  fallback: Choice,
  choices: readonly Choice[],
): Choice {
  if (value === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const message = `${name} must be one of ${choices.map((candidate) => `'${candidate}'`).join(', ')}, got ${show(value)}`;
  throw typeof value === 'string' ? new RangeError(message) : new TypeError(message);
}

/** A word that only the browser can tell to be right; `undefined` where it is left out. */
export function textOption(name: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`${name} must be a non-empty string, got ${show(value)}`);
}

function signalOption(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(`${name} must be an AbortSignal, got ${show(value)}`);
}

export function requireObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${name} must be an object, got ${show(value)}`);
  }
}

/** A short, safe picture of a bad value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${short(value)}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return short(typeof value === 'bigint' ? `${value}n` : String(value));
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
