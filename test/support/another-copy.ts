/** A second copy of this package in the same process, as npm leaves one where two versions are asked for. */
import { vi } from 'vitest';

/** Loads a module of `src` once more, with all that it imports. */
export async function fromAnotherCopy<Module>(load: () => Promise<Module>): Promise<Module> {
  vi.resetModules();
  return load();
}
