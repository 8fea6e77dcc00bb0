/**
 * Makes text of others (a page's, a browser's, a file's name) fit to be printed: no terminal takes any of it for a command,
 * and it is shown in the order that it has. Text that is printable already stays as it is.
 */

/**
 * On one line: control characters, line ends, lone surrogates and characters that change the direction of text, as escapes.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same for text of several lines; their ends stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/**
 * What `JSON.stringify` makes of the value, and `JSON.parse` reads as the same. JSON itself lets DEL, the C1 controls
 * (U+009B begins a terminal's command) and bidi overrides pass.
 */
export function printableJson(value: unknown, indent?: number): string {
  const lines = JSON.stringify(value, undefined, indent).split('\n');
  return lines.map((line) => line.replace(UNPRINTABLE, jsonEscape)).join('\n');
}

/** One escape for each UTF-16 unit: JSON has no others. */
function jsonEscape(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
