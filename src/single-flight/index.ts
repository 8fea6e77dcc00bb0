/** Work done once though many ask for it. */
export { SingleFlightError, type SingleFlightErrorCode } from './errors.ts';
export { FlightGroup } from './flight-group.ts';
export { guardInFlight, type InFlightSlot } from './in-flight-guard.ts';
export {
  createInitLock,
  type Init,
  type InitClaim,
  type InitLock,
  type InitLockOptions,
  initWithLock,
  revokeClaim,
} from './init-lock.ts';
export {
  ExpiresImmediately,
  type Fetched,
  type Fetcher,
  LazySlot,
  type LazySlotLogger,
  type LazySlotOptions,
} from './lazy-slot.ts';
export { SingleFlightCache, type SingleFlightCacheOptions } from './single-flight-cache.ts';
export type { Now, Sleep } from './time.ts';
