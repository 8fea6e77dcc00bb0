// Empties build/ and dist/, so that a file deleted from src/ is never published from a stale build.
import { rmSync } from 'node:fs';

for (const folder of ['build', 'dist']) {
  rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
}
