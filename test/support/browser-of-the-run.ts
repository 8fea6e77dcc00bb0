/** Before all tests: says which Chromium they drive. The bundled one is unpacked here, once, before anything is timed. */
import { findBrowser } from '../../src/cli/browser-finder.ts';

export async function setup(): Promise<void> {
  const found = await findBrowser().catch((error: Error) => error);
  console.log(found instanceof Error ? found.message : `Chromium: ${found.executablePath} (${found.source})`);
}
