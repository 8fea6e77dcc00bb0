/**
 * Every tuned number of the batcher and of the handles: its unit, why it has this value, and the bench row or test that
 * moves when it changes. What users may set has its default here as well. This file imports nothing.
 */

// The event loop. Moves: `work-is-sliced`, `many-groups-wait`, bench row "100,000 waiting groups".

/** Milliseconds of one turn that all jobs of a thread share. The promise is 10 ms; the rest is for what cannot be sliced. */
export const TURN_BUDGET_MS = 6;
/** A timer that fires so many milliseconds late shows that the event loop was blocked. Moves: `blocked-loop`. */
export const LATE_TIMER_MS = 20;
/** Turns that read what has arrived meanwhile: one reads, one is for clients that hand it on later. Moves: `blocked-loop`. */
export const TURNS_TO_READ = 2;

// The batcher. Moves: bench rows "1,000 jobs", "per-id path"; `ended-in-turns`.

/** Commands in a batch: the ancestor's number. */
export const BATCH_SIZE = 64;
/** Unanswered batches of one session: 512 commands keep the browser busy over any round trip. */
export const IN_FLIGHT_BATCHES = 8;
/** Milliseconds until an unanswered batch frees its slot: longer than a page's long task, shorter than a client's own limit. */
export const RELEASE_TIMEOUT_MS = 30_000;
/** Releases that wait, of all sessions: some 100 MB. */
export const QUEUE_SIZE = 1_000_000;
/** Releases looked at for one batch: of those whose context has ended none is sent. 1,024 take less than a millisecond. */
export const MOST_LOOKED_AT = 1_024;
/** Cancelled releases that end between two looks at the clock. */
export const CANCELLED_PER_LOOK = 256;
