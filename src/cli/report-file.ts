/** Reports in a file: only in the one that the user named. */
import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { CannotRunError } from './cannot-run-error.ts';
import { say } from './output.ts';

/**
 * Called before the work that the report is about. The file's content stays until then.
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
 * Writes the whole file, over its former content.
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
