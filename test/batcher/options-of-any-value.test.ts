import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { type AttachOptions, resolveAttachOptions } from '../../src/handles/attach-options.ts';

/** Whether a value is one that an option takes, said a second time and apart from the code under test. */
const TAKES: Readonly<Record<string, (value: unknown) => boolean>> = {
  maxBatchSize: wholeNumber(1, 1_024),
  maxInFlightBatches: wholeNumber(1, 65_536),
  releaseTimeoutMs: wholeNumber(1, 2 ** 31 - 1),
  maxQueueSize: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  signal: (value) => value instanceof AbortSignal,
  track: (value) => typeof value === 'boolean',
  groups: (value) => typeof value === 'boolean',
  moveSurvivors: (value) => typeof value === 'boolean',
  pressure: (value) => value === false || wholeNumber(0, 2 ** 30)(value),
  consoleEntries: (value) => value === 'keep' || value === 'discard',
  traceLeaks: (value) => typeof value === 'boolean',
};

function wholeNumber(min: number, max: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && value % 1 === 0 && value >= min && value <= max;
}

const BATCHER_OPTIONS: readonly string[] = [
  'maxBatchSize',
  'maxInFlightBatches',
  'releaseTimeoutMs',
  'maxQueueSize',
  'signal',
];

const value = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(
    0,
    -0,
    1,
    1_024,
    1_025,
    65_536,
    65_537,
    2 ** 30,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53 - 1,
    2 ** 53,
  ),
  fc.constantFrom('keep', 'discard', 'toString', '__proto__', 'x'.repeat(1_000), 10n ** 500n),
  fc.constantFrom(Symbol('x'.repeat(1_000)), () => 1, new AbortController().signal, new Proxy({}, {})),
);

test.each(Object.keys(TAKES))('%s: any value is taken as it is, or refused by name', (name) => {
  fc.assert(
    fc.property(value, (given) => {
      const resolvers = BATCHER_OPTIONS.includes(name)
        ? [resolveBatcherOptions, resolveAttachOptions]
        : [resolveAttachOptions];
      for (const resolve of resolvers) {
        let resolved: Record<string, unknown>;
        try {
          resolved = { ...resolve({ [name]: given } as AttachOptions) };
        } catch (error) {
          expect(TAKES[name]?.(given), `refused: ${String(error)}`).toBe(false);
          expect(given).not.toBeUndefined();
          expect([TypeError, RangeError]).toContain((error as Error).constructor);
          expect((error as Error).message).toMatch(new RegExp(`^${name} must be .*, got [^]+$`));
          expect((error as Error).message.length).toBeLessThan(160);
          continue;
        }
        const { [name]: taken, ...others } = resolved;
        const { [name]: fallback, ...otherFallbacks } = { ...resolve() } as Record<string, unknown>;
        // `now` is a new function each time.
        expect({ ...others, now: 0 }).toEqual({ ...otherFallbacks, now: 0 });
        if (given === undefined) expect(taken).toBe(fallback);
        else expect(TAKES[name]?.(given)).toBe(true);
        if (given !== undefined) expect(taken).toBe(name === 'pressure' && given === false ? 0 : given);
      }
    }),
    { numRuns: 300 },
  );
});

test('options of any kind are taken or refused, and never changed', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...Object.keys(TAKES)), value)),
      (given) => {
        if (given === undefined) return;
        const before = typeof given === 'object' && given !== null ? Reflect.ownKeys(given) : [];
        try {
          resolveAttachOptions(given as AttachOptions);
        } catch (error) {
          expect([TypeError, RangeError]).toContain((error as Error).constructor);
          expect((error as Error).message).toMatch(/^\w+ must be |^there is no option /);
        }
        if (typeof given === 'object' && given !== null) expect(Reflect.ownKeys(given)).toEqual(before);
      },
    ),
    { numRuns: 500 },
  );
});
