import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeInPage } from '../../src/observe/place-in-page.ts';
import { printable, printableJson, printableLines } from '../../src/observe/printable.ts';

/** Any text, with many of the characters that matter. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b[2J',
        '\u009b31m',
        '\u202e',
        '\u2066',
        '\ud800',
        '\udc00',
        '\u2028',
        '\u{e0041}',
      ),
      fc.constantFrom('\n', '\r', '\t', '\b', '\u007f', '\\u{1b}', '"', '\\'),
    ),
  )
  .map((parts) => parts.join(''));

/** Told apart by code point, not by the expression that is under test. */
function isCommand(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xe0001 ||
    (code >= 0xe0020 && code <= 0xe007f)
  );
}

describe('printable', () => {
  test('leaves no character that a terminal obeys, not even a line end', () => {
    fc.assert(
      fc.property(text, (any) => {
        expect([...printable(any)].filter(isCommand)).toEqual([]);
      }),
    );
  });

  test('changes nothing a second time, and nothing that was printable', () => {
    fc.assert(
      fc.property(text, (any) => {
        expect(printable(printable(any))).toBe(printable(any));
      }),
    );
    expect(printable('Größe 3 × 漢字 😀 e\u0301 – "quoted" \\')).toBe(
      'Größe 3 × 漢字 😀 e\u0301 – "quoted" \\',
    );
  });

  test('says what was there', () => {
    expect(printable('a\u001b[31m\u202e\n\ud800')).toBe('a\\u{1b}[31m\\u{202e}\\u{a}\\u{d800}');
  });
});

test('of several lines only the ends go through, and as many of them as there were', () => {
  fc.assert(
    fc.property(text, (any) => {
      const shown = printableLines(any);
      expect([...shown].filter((character) => character !== '\n' && isCommand(character))).toEqual([]);
      expect(shown.split('\n')).toHaveLength(any.split('\n').length);
    }),
  );
});

test('JSON is read as the same value, and a terminal takes none of it for a command', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' }),
      text,
      fc.nat(3),
      (value, any, indent) => {
        const given = { value, [any]: [any] };
        const shown = printableJson(given, indent);
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(given)));
        expect([...shown].filter((character) => character !== '\n' && isCommand(character))).toEqual([]);
      },
    ),
  );
});

test('a place in a page is printable, and not endless, whatever the page calls itself', () => {
  const frames = fc.array(fc.record({ url: text, lineNumber: fc.anything(), columnNumber: fc.integer() }));
  const params = fc.oneof(
    fc.record({ stackTrace: fc.record({ callFrames: frames }) }),
    fc.record({ exceptionDetails: fc.record({ url: text, lineNumber: fc.anything() }) }),
    text.map((name) => ({
      exceptionDetails: { url: `pptr:evaluate;${encodeURIComponent(name.replace(/\p{Cs}/gu, ''))}` },
    })),
    fc.anything(),
  );
  fc.assert(
    fc.property(params, (any) => {
      const place = placeInPage(any) ?? '';
      expect([...place].filter(isCommand)).toEqual([]);
      expect(place.length).toBeLessThan(4_000);
    }),
  );
  expect(placeInPage({ exceptionDetails: { url: 'pptr:%E0%A4%A' } })).toBe('pptr:%E0%A4%A:0:0'); // No UTF-8.
  const url = `pptr:evaluate;${encodeURIComponent('name (/tmp/\u001b[2J.mjs:3:5)')}`;
  expect(placeInPage({ stackTrace: { callFrames: [{ url }] } })).toBe('/tmp/\\u{1b}[2J.mjs:3:5');
});
