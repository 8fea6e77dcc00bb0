// Whatever stands on the command line is understood, or refused by an error that is the user's to mend.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchOrderOf } from '../../bench/command.ts';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { doctorOptionsOf } from '../../src/cli/doctor/command.ts';
import { MessageReader } from '../../src/cli/doctor/messages.ts';
import { lookCommand } from '../../src/cli/look/command.ts';

let folder: string;
let script: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arguments-test-'));
  script = join(folder, 'script.mjs');
  await writeFile(script, '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `parse` gives, or `undefined` where it refuses in the one way that it may. */
function understood<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    expect(error).toBeInstanceOf(CannotRunError);
    expect((error as Error).message).not.toBe('');
    return undefined;
  }
}

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
  fc.constantFrom(
    '--',
    '-',
    '--=',
    '--json',
    '--json=',
    '--html',
    '--quick',
    '--rounds',
    '--only',
    '--compare',
  ),
  fc.constantFrom('--fail-over', '--every', '--node-option', '--__proto__', '--toString', '-h', '--no-json'),
  fc.constantFrom(
    '--browser-url',
    '--executable-path',
    '--browser-ws-endpoint',
    '--table',
    'x.mjs',
    '5',
    '1e3',
  ),
);

describe('of bench', () => {
  test('any words are understood, or refused', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (args) => {
        const order = understood(() => benchOrderOf(args));
        if (order === undefined) return;
        if ('compare' in order) {
          for (const file of order.compare) expect(args.some((arg) => arg.endsWith(file))).toBe(true);
          return;
        }
        expect(order.rounds % 1 === 0 && order.rounds >= 1 && order.rounds <= 1_000).toBe(true);
        for (const file of [order.jsonFile, order.htmlFile]) {
          expect(file === undefined || args.some((arg) => arg.endsWith(file))).toBe(true);
        }
        const { executablePath, browserUrl, browserWSEndpoint } = order;
        const named = [executablePath, browserUrl, browserWSEndpoint].filter((name) => name !== undefined);
        expect(named.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });

  test('only whole rounds from 1 to 1,000 are', () => {
    const rounds = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 1_000, 1_001), fc.double(), fc.string());
    fc.assert(
      fc.property(rounds, (given) => {
        const order = understood(() => benchOrderOf([`--rounds=${given}`]));
        const isFine = `${given}`.trim() !== '' && Number.isInteger(Number(given)) && Number(given) >= 1;
        if (isFine && Number(given) <= 1_000) expect(order).toMatchObject({ rounds: Number(given) });
        else expect(order).toBeUndefined();
      }),
    );
  });
});

test('of a look, an option that there is not is refused', async () => {
  const refusal = await lookCommand(['--browser-url', 'http://x', '--sideways']).catch((error) => error);
  expect(refusal).toBeInstanceOf(CannotRunError);
  expect(refusal.message).toMatch(/^Unknown option '--sideways'/);
  expect(refusal.message).toContain('doctor --browser-url <url> [options]');
});

describe('of doctor', () => {
  test("any words before the script are understood, or refused; all behind it are the script's", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), fc.array(word, { maxLength: 5 }), (before, behind) => {
        const options = understood(() => doctorOptionsOf([...before, script, ...behind]));
        if (options?.script !== script) return; // A word before it was taken for the script, or took it as its value.
        expect(options.scriptArguments.slice(-behind.length || Number.POSITIVE_INFINITY)).toEqual(behind);
        const { failOver, everyMs, htmlFile } = options;
        expect(failOver === undefined || (failOver % 1 === 0 && failOver >= 0)).toBe(true);
        expect(everyMs === undefined || (everyMs % 1 === 0 && everyMs >= 1 && everyMs < 2 ** 31)).toBe(true);
        expect(htmlFile === undefined || before.some((arg) => arg.endsWith(htmlFile))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('words that are no options of ours reach the script as they are', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (args) => {
        expect(doctorOptionsOf(['--json', script, ...args])).toEqual({
          script,
          scriptArguments: args,
          json: true,
          htmlFile: undefined,
          failOver: undefined,
          everyMs: undefined,
          nodeOptions: [],
        });
      }),
    );
  });

  test.each([
    ['--fail-over=0', { failOver: 0 }],
    ['--fail-over=-1', undefined],
    ['--fail-over=1.5', undefined],
    ['--fail-over= ', undefined],
    ['--every=2147483647ms', { everyMs: 2_147_483_647 }],
    ['--every=2147483648ms', undefined],
    ['--every=0.4ms', undefined],
  ])('%s', (option, expected) => {
    const options = understood(() => doctorOptionsOf([option, script]));
    if (expected === undefined) expect(options).toBeUndefined();
    else expect(options).toMatchObject(expected);
  });

  test("a -- before the script is nobody's, one behind it the script's", () => {
    const options = doctorOptionsOf(['--json', '--', script, '--', '--json']);
    expect(options).toMatchObject({ script, scriptArguments: ['--', '--json'], json: true });
  });

  test('durations are what they say, in milliseconds', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, '': 1_000 } as const;
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000_000 }), unit, (amount, name) => {
        const everyMs = amount * units[name];
        const options = understood(() => doctorOptionsOf(['--every', `${amount}${name}`, script]));
        expect(options?.everyMs).toBe(everyMs >= 1 && everyMs < 2 ** 31 ? everyMs : undefined);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d+(\.\d+)?(ms|s|m|h)?$/.test(text));
        expect(understood(() => doctorOptionsOf([`--every=${text}`, script]))).toBeUndefined();
      }),
    );
  });
});

test("the doctor's messages are read in whatever pieces they come, and broken ones passed over", () => {
  const line = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify({ value })),
    fc.constant('{"kind":"sam'),
  );
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat({ max: 40 })), (lines, sizes) => {
      const read: unknown[] = [];
      const reader = new MessageReader((message) => read.push(message));
      let rest = lines.map((text) => `${text}\n`).join('');
      for (const size of sizes) {
        reader.read(rest.slice(0, size));
        rest = rest.slice(size);
      }
      reader.read(rest);
      const whole = lines.filter((text) => text.endsWith('}'));
      expect(read).toEqual(whole.map((text) => JSON.parse(text)));
    }),
  );
});
