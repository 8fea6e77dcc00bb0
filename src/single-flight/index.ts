/** Work done once though many ask for it. */
export { guardInFlight, type InFlightSlot } from './in-flight-guard.ts';
