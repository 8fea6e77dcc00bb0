/** Browsers that the running test file has launched. Files share a process, and each closes its own when it is done. */
import { afterAll } from 'vitest';

export const launched: Set<{ close(): Promise<void> }> = new Set();

/** For a setup file, which runs for each file. */
export function closeAfterFile(): void {
  afterAll(async () => {
    const browsers = [...launched];
    launched.clear();
    await Promise.all(browsers.map((browser) => browser.close()));
  });
}
