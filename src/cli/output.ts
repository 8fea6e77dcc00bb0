/**
 * The one way from the command line to a terminal. Whatever has got into a text (a browser's version, a page's error,
 * a file's name), its control characters come out as escapes; line ends alone go through, so a line that quotes
 * others makes them `printable` first.
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

/** Whoever reads our output may have had enough, as `head` has, or is a terminal that hung up: nobody misses it. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}
