/** Reports that go to a file: to the one that the user named, and nowhere else. */
import { writeFileSync } from 'node:fs';
import { CannotRunError } from './cannot-run-error.ts';
import { say } from './output.ts';

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
