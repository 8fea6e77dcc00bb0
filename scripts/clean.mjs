// Empties dist/, so that a file deleted from src/ is never published from a stale build.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
