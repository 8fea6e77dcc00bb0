/** The stack as V8 has it, without its text, which would cost ten times as much. Never throws. */

import { withStackTraceLimit } from '../batcher/session-queue.ts';
import { DEEPEST_FRAME } from '../policy.ts';

/** The innermost frame first, from the caller on. Empty where V8 gives none, as under `--frozen-intrinsics`. */
export function callSites(): readonly NodeJS.CallSite[] {
  return withStackTraceLimit(DEEPEST_FRAME, () => {
    const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    try {
      // Not assigned: where this property is an accessor of ours, an assignment would stay.
      const value = (_error: unknown, sites: NodeJS.CallSite[]): NodeJS.CallSite[] => sites;
      Reflect.defineProperty(Error, 'prepareStackTrace', { value, configurable: true, writable: true });
      const { stack } = new Error() as { stack?: unknown };
      return Array.isArray(stack) ? (stack as NodeJS.CallSite[]).slice(AROUND_US) : [];
    } catch {
      return [];
    } finally {
      if (before !== undefined) Reflect.defineProperty(Error, 'prepareStackTrace', before);
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    }
  });
}

/** The closure above, `withStackTraceLimit` and `callSites` itself. */
const AROUND_US = 3;
