/**
 * The only way from the command line to a terminal. Control characters in a text (a browser's version, a page's error, a
 * file's name) are written as escapes. Line ends are not, so a line that quotes others has to make them `printable` first.
 */
import { printableJson, printableLines } from '../observe/printable.ts';

/** To stdout: the outcome. */
export function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

/** To stdout, for programs. */
export function printJson(value: unknown, indent?: number): void {
  process.stdout.write(`${printableJson(value, indent)}\n`);
}

/** To stderr: progress, and what went wrong. */
export function say(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** The reader may have closed the pipe, as `head` does, or the terminal may have hung up: no error of ours. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}
