/** Reports that go to a file: to the one that the user named, and nowhere else. */
import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { CannotRunError } from './cannot-run-error.ts';
import { say } from './output.ts';

/**
 * Before the work whose report it is to be. What the file has in it stays there until then.
 *
 * @throws {CannotRunError} where it cannot be written.
 */
export function requireWritable(file: string): void {
  const isNew = !existsSync(file);
  try {
    closeSync(openSync(file, 'a'));
    if (isNew) unlinkSync(file);
  } catch (error) {
    throw new CannotRunError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

/**
 * Writes the file whole, over what was there.
 *
 * @throws {CannotRunError} where it cannot be written.
 */
export function writeReportFile(file: string, content: string): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new CannotRunError(`${file} cannot be written: ${(error as Error).message}`);
  }
  say(`Written: ${file}`);
}
