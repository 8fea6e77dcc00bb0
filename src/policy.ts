/**
 * Every tuned number of the library: its unit, why it has this value, and the bench row or test that moves when it changes.
 * What users may set has its default here as well. Elsewhere stand only numbers that something else has fixed: the form of
 * an id or of a message, the layout of the shared ring. This file imports nothing.
 */

// The event loop. Moves: `work-is-sliced`, `many-groups-wait`, bench row `waiting-groups`.

/** Milliseconds of one turn that all jobs of a thread share. The promise is 10 ms; the rest is for what cannot be sliced. */
export const TURN_BUDGET_MS = 6;
/** A timer that fires so many milliseconds late shows that the event loop was blocked. Moves: `blocked-loop`. */
export const LATE_TIMER_MS = 20;
/**
 * Steps between two looks at the clock, whatever they are: handles struck out or released one by one, cancelled releases that
 * end, finalizers' notes. 256 take some 0.1 ms.
 */
export const STEPS_PER_LOOK = 256;
/** Milliseconds after which an answer is entered at the latest. Moves: bench row `script-forget-cpu`. */
export const DEFERRED_MS = 16;
/** Answers that wait for that: to enter them takes less than a millisecond. Moves: bench row `script-forget-cpu`. */
export const MOST_DEFERRED = 64;
/** Turns that read what has arrived meanwhile: one reads, one is for clients that hand it on later. Moves: `blocked-loop`. */
export const TURNS_TO_READ = 2;

// The batcher. Moves: bench row `per-id`, `ended-in-turns`.

/** Commands in a batch: the ancestor's number. */
export const BATCH_SIZE = 64;
/** Unanswered batches of one session: 512 commands keep the browser busy over a round trip of 28 ms. Over a longer one there may be more. */
export const IN_FLIGHT_BATCHES = 8;
/**
 * Commands sent in one turn, whatever is left of its budget: their answers may all come in the next, and each takes as long again. So 5,000
 * sessions hold the loop for 8 ms; 1,024 held it for 16, and got a tenth less done. Moves: bench row `many-sessions`, `commands-per-turn`.
 */
export const MOST_COMMANDS_PER_TURN = 256;
/** Milliseconds until an unanswered batch frees its slot: longer than a page's long task, shorter than a client's own limit. */
export const RELEASE_TIMEOUT_MS = 30_000;
/** Releases that wait, of all sessions: some 100 MB. */
export const QUEUE_SIZE = 1_000_000;
/** Ids that one job hands over before they are queued, in one go of a few milliseconds at the most. They take 256 KB. Moves: bench row `enqueue-cold`. */
export const MOST_TAKEN_AT_ONCE = 32_768;
/** Releases looked at for one batch: of those whose context has ended none is sent. 1,024 take less than a millisecond. */
export const MOST_LOOKED_AT = 1_024;
/** Places in a queue's first segment: a farm has thousands of queues that are empty most of the time. */
export const FIRST_SEGMENT = 16;
/** Places in its largest: chaining costs nothing any more, and V8 does not take the array for a large object. Moves: `npm run bench:micro`. */
export const LARGEST_SEGMENT = 2_048;

// Handles. Moves: `work-is-sliced`, `many-groups-wait`, `nothing-grows`.

/** Names of commands of which the facts are remembered: scripts send a few dozen. */
export const MOST_COMMAND_NAMES = 1_000;
/** Commands by value that are given a group after one threw. Moves: `value-commands`, bench row `throw`. */
export const GROUPED_AFTER_THROW = 64;
/** Unanswered commands by value without a group: so many may throw at once, and are released one by one. */
export const MOST_UNGROUPED = 64;
/** A context with more handles than this is struck out `ENDED_LATER_MS` after its end. Moves: bench row `close-page`. */
export const ENDED_AT_ONCE = 1_024;
/** Milliseconds: the program that waits for its page to close goes first. */
export const ENDED_LATER_MS = 100;
/** Members of answered groups that are ended after the answers of other groups. More are not put off. Moves: bench rows `growth`. */
export const MOST_ENDED_AFTER_ANSWERS = 16_384;
/** Entries of a list that are over and still listed: a list is cleared when they are more than those that stay, and than this. */
export const FEWEST_CLEARED = 8;
/**
 * Of ids that ended with a scope, pages of 1,024: 64 KB a session at the most. Of ids in another form than today's as many,
 * each by itself. Moves: `used-after-its-scope`.
 */
export const ENDED_ID_PAGES = 512;
/** Milliseconds that the dead of a session are kept while a command whose answer nobody sees may name them. Moves: `unseen-answers`. */
export const UNSEEN_MS = 30_000;
/** Those found within so many milliseconds of one another are released together. */
export const UNSEEN_WINDOW_MS = 1_000;

/** Numbers of ids in a page of the handle table, as a power of two: a page with a single handle wastes 512 bytes. */
export const ID_PAGE_BITS = 6;

// Generations. Moves: bench rows `commands-bulk`, `commands-bulk-singly`, `commands-keep`; `disposed-means-now`, `light-handles-wait`.

/** Milliseconds that a generation takes mints for, at the least: 50 ms of 200 KB objects are some 25 MB. */
export const GENERATION_MS = 50;
/** The same for light handles, so that one command does for many. */
export const GENERATION_OF_LIGHT_MS = 500;
/** Bytes of the page: handles that hold less together are light. */
export const MOST_HELD_BY_LIGHT = 1e6;
/** Members: for fewer a command for the group does not pay. */
export const FEWEST_IN_GENERATION = 48;
/** Milliseconds, and bytes of the page, that a generation with fewer may hold back. Moves: `large-handles-are-not-held-back`. */
export const LONGEST_GENERATION_MS = 2_000;
export const MOST_HELD_BACK = 32e6;
/** Members: in a larger group one survivor keeps too much from dying whole. */
export const MOST_IN_GENERATION = 1_200;
/** Live members for each that was disposed of, in a generation that ends early: more would have to be moved. */
export const MOST_ALIVE_AT_END = 0.1;

// The sweep. Moves: `disposed-means-now`, bench rows `commands-query-dispose`, `commands-query-forget`, `commands-forget`.

/**
 * Dead members that make a group worth releasing at once. Where all members of such a group are dead and only an answer is
 * missing, disposals wait for the answer. Moves: bench row `scope`, `large-dead-groups-await-an-answer`.
 */
export const DEAD_IN_A_LARGE_GROUP = 1_024;
/** An open generation in which nothing has happened for so many milliseconds, and all is dead, may go. */
export const IDLE_MS = 100;
/** Milliseconds between two looks at the groups that wait. A disposal in one of them is noted so much later at the most. Moves: `disposed-means-now`. */
export const LOOK_AT_DUE_MS = 50;
/** Milliseconds that the dead of a group wait for the rest to die: a collection or two come in that time. Moves: `light-handles-wait`, `many-groups-wait`. */
export const GRACE_MS = 2_000;
/** The same where they hold next to nothing: then collections are rare as well. Moves: `light-handles-wait`, `many-groups-wait`. */
export const GRACE_OF_LIGHT_MS = 10_000;
/**
 * Milliseconds after which a closed group that waits is judged again though nothing has happened in it. So each grace is a multiple
 * of it: one of 3,000 with looks every 2,000 would end after 4,000. As long as that allows, since a hundred thousand groups may wait.
 * Moves: `light-handles-wait`, `many-groups-wait`.
 */
export const LOOK_AT_WAITING_MS = 2_000;
/** Milliseconds after a disposal at which its group takes no more mints, so that commands that may mint into it are answered in time. */
export const CLOSED_AFTER_MS = 70;
/** Milliseconds after a disposal at which it is sent: a timer and a turn may be late, and 100 ms is the promise. */
export const SENT_AFTER_MS = 90;
/**
 * Milliseconds from a release that the client has sent itself, as at the end of each click, until what the client has disposed of for
 * itself follows. The program's own disposals do not wait for that. Moves: `disposed-means-now`, bench row `script-forms-cpu`.
 */
export const TIDIED_AFTER_MS = 400;
/** Milliseconds between two looks at groups that are due, and groups that are looked at in one. */
export const FEWEST_MS_BETWEEN_LOOKS = 8;
export const MOST_PER_LOOK = 1_024;
/** Milliseconds that disposals wait for survivors to be moved, if they are no more than a batch. */
export const MOVED_WITHIN_MS = 20;
/** Dead that may wait while nobody knows what they hold: of 200 KB each they would be 100 MB. Moves: bench row `large`. */
export const MOST_UNKNOWN_WAITING = 512;
/** Bytes of the page that they may hold where that is known, and the bounds of their number. */
export const MOST_BYTES_WAITING = 100e6;
export const MOST_WAITING = 16_384;
export const FEWEST_WAITING = 8;
/** A group that would be dead after so many sweeps more, at the pace of the last, is waited for. */
export const LOOKS_TO_COME = 8;

// Survivors. Moves: `survivors`, bench row `commands-keep`.

/** Dead: fewer are released one by one for the same price as a move. */
export const FEWEST_DEAD = 8;
/** Survivors moved for each that died: to bind one anew takes the browser a fifth of what a release does. */
export const MOST_MOVED_PER_DEAD = 2;
export const COST_PER_SURVIVOR = 0.2;
/** Commands: a call, a listing, the release of the list and that of the group. */
export const COMMANDS_OF_A_MOVE = 4;
/** Survivors of one group, and of one command; more would be long to wait for. */
export const MOST_MOVED = 512;
/** Times that a group is tried: a survivor that a command names while the others move stays, mostly for a moment only. */
export const MOST_MOVES_TRIED = 2;

/** Milliseconds of a round trip from which a browser is far away, so that round trips are spared rather than commands. Moves: bench rows `far-away`, `many-pages`. */
export const FAR_MS = 30;
/** Survivors that are bound by a call each there. Moves: bench row `far-away`. */
export const MOST_BOUND_SINGLY = 4;
/** Milliseconds that a release takes the browser: it does some 18,000 a second. */
export const RELEASE_MS = 0.055;

// Answers to disposals. Moves: `acknowledgement`, `work-is-sliced`.

/** Milliseconds that awaited disposals may follow one another in one turn of the event loop. */
export const MOST_BETWEEN_TURNS_MS = 4;
/** Answers given in one go: what hangs on as many takes a client some milliseconds. */
export const MOST_ANSWERS_PER_JOB = 32_768;
/** Answers between two looks at the clock. */
export const ANSWERS_PER_LOOK = 64;

// The store of console messages. Moves: `console-entries`.

/** Milliseconds after a message in which others may come, before the store is emptied. The browser keeps a thousand messages. */
export const CONSOLE_DELAY_MS = 100;

// Collections. Moves: `work-is-sliced`, bench row `collection`.

/** Milliseconds that the notes have of the turn in which they were made: half of it is left to the jobs. */
export const NOTES_AT_ONCE_MS: number = TURN_BUDGET_MS / 2;

// Collections here, and the garbage of pages. Moves: `bench/gc-weight.mjs`, `gc-weight`, `collections-in-proportion`, bench rows `large`, `script-large-cpu`.

/**
 * Bytes that a handle counts for at the least, however light: it takes some in this process and in the browser, and what a script
 * forgets is to be released even where its page would not mind. While nothing is known of any page a handle counts for as much, and
 * is counted anew once its page has told. Moves: `readme-script`, `session-weights`, bench row `script-console-cpu`.
 */
export const LEAST_BYTES_PER_HANDLE = 20_480;
/** Bytes of its page that a handle is taken to hold where no page ever tells, as by BiDi. */
export const UNTOLD_BYTES_PER_HANDLE = 65_536;
/**
 * Handles of one message that count for so much at the least: thousands at once come from one list, and mostly die with it. The rest
 * count where their page tells what they hold. Moves: `collections-in-proportion`, `heap`.
 */
export const SUSPECTED_PER_MESSAGE = 64;
/** Bytes of pages that may be garbage before a collection is caused here, in a process whose own heap is small. */
export const LEAST_SUSPECTED = 100e6;
/** The same for each byte of this process's heap: a collection costs in proportion to that. */
export const SUSPECTED_PER_HEAP_BYTE = 1.25;
/** The same whatever a collection costs: a page crashes at some 3 GB, and grows on while the collection runs. */
export const MOST_SUSPECTED = 1e9;
/** The same while a collection runs: from here on V8 is told to hurry. */
export const MOST_SUSPECTED_MEANWHILE = 1.5e9;
/** Share of the time that the collections take that we cause. */
export const MOST_COLLECTING = 0.1;
/** What a collection costs for each byte of the heap, in milliseconds of CPU: most of its marking is done by other threads, of which nothing is told. */
export const COLLECTING_MS_PER_BYTE = 0.6e-6;
/** Collections whose cost is averaged. One is measured by the clock, and may have waited for a processor ten times as long as it ran. */
export const COLLECTIONS_AVERAGED = 8;
/** Milliseconds after which a collection is no longer waited for that was caused. */
export const LONGEST_COLLECTION_MS = 10_000;
/** Bytes of external memory that have V8 begin a collection at once: more than 64 MiB. */
export const COLLECTING_BUFFER: number = 65 * 2 ** 20;
/** Bytes of V8's for one of Blink's: a tree stays whole for one forgotten node, so fewer of them are to be garbage at a time. */
export const BLINK_WEIGHS = 8;
/** Mints, and milliseconds, between two looks at a page. */
export const MINTS_PER_LOOK = 8;
export const LOOK_AGAIN_MS = 50;
/** The same of large handles, of which eight would be most of what is wanted in the page. */
export const MINTS_OF_LARGE_PER_LOOK = 2;
export const LOOK_AGAIN_AT_LARGE_MS = 10;
/** The same of light handles that are minted faster than one in so many milliseconds: a look costs as much as a mint. */
export const LIGHT_HANDLE = 8_192;
export const LOOK_AGAIN_AT_LIGHT_MS = 200;
export const MOST_MS_PER_LIGHT_MINT = 2;
/** Looks that the estimate is made of. */
export const LOOKS_KEPT = 8;
/** Looks in a row that are taken together: from one to the next a page may have swept away most of what came. Moves: `heap`, `gc-weight`. */
export const LOOKS_IN_A_ROW = 4;
/**
 * Part of the expected garbage that a collection is to free, here or in a page. Where it frees less, twice as much has to gather before
 * the next, up to eight times as much. Moves: `collections-in-proportion`, `gc-weight`.
 */
export const LEAST_FREED = 0.5;
export const MOST_PATIENCE = 8;
/** Bytes of released handles' garbage, and of growth, for which a page is told to collect: it has by itself before that, as a rule. */
export const MOST_GARBAGE = 96e6;
export const MOST_GROWTH = 128e6;
/** Bytes from which a handle is large: a few looks later there would be half as much again. Sooner for them. */
export const LARGE_HANDLE = 1e6;
export const MOST_GARBAGE_OF_LARGE = 32e6;
export const MOST_GROWTH_BY_LARGE = 48e6;

// Clients. Moves: the tests named with each.

/** Milliseconds that an installation of Puppeteer's may defer collections: as long as Puppeteer waits for an answer. Moves: `collection-holds`. */
export const LONGEST_LINK_MS = 180_000;
/** The same for a command that may belong to one: with known versions none does. */
export const LONGEST_LIKELY_LINK_MS = 1_000;
/** Sessions or realms that may lie inside one another. Deeper than this, a broken browser goes round in a circle. */
export const DEEPEST_NESTING = 16;
/** Disposals over BiDi that are acknowledged in one turn of the event loop. Moves: `bidi`. */
export const BIDI_DISPOSALS_PER_TURN = 512;
/** Unanswered batches of chrome-remote-interface, which counts all that it waits for at each reply. Moves: bench row `bulk/remote-interface-attached`. */
export const IN_FLIGHT_BATCHES_OF_CRI = 2;
/** Milliseconds that the objects of a console message are held for Playwright's own handle to reach the program. */
export const ARRIVAL_MS = 500;
/** Milliseconds after which a Playwright handle counts as delivered though no message has named it. */
export const LONGEST_DELIVERY_MS = 60_000;
/** Playwright handles ended between two looks at the clock. */
export const PLAYWRIGHT_HANDLES_PER_LOOK = 16;

// Worker threads. Moves: `node bench/threads/run.mjs`, `test/threads`.

/** Releases that the shared ring holds. */
export const RING_CAPACITY = 4_096;
/** Milliseconds of one turn for what the ring brings. */
export const RING_TURN_BUDGET_MS = 4;
/** Releases taken from the ring between two looks at the clock. */
export const RING_PER_LOOK = 64;
/** Milliseconds that the receiving thread goes on looking after it has found something: one wake-up serves many releases. */
export const RING_LINGER_MS = 4;
/** Milliseconds after which a slot that was claimed and not filled is given up: its thread has died. */
export const RING_STALL_MS = 1_000;
/** Releases in one message of those that the ring has no room for. */
export const LONGEST_SPILL = 256;

// Work done once. Moves: `test/single-flight`.

/** Milliseconds that a holder of the lock may take before it is taken for dead: the ancestor's. */
export const LOCK_DEADLINE_MS = 15_000;
/** The same for a browser that is being launched. */
export const LAUNCH_DEADLINE_MS = 45_000;
/** Milliseconds between two looks at the lock. */
export const LOCK_POLL_MS = 50;
/** Milliseconds that others wait beyond the holder's deadline. */
export const LOCK_HEADROOM_MS = 15_000;
/** Milliseconds that one fetch of a cached value may take, and how much later it is taken for dead. */
export const FETCH_TIMEOUT_MS = 10_000;
export const FETCH_HEADROOM_MS = 5_000;
/** Milliseconds between two tries of a lazy slot that failed, and failures in a row that are warnings before they are errors. */
export const RETRY_DELAY_MS = 5_000;
export const WARNINGS_BEFORE_ERRORS = 2;

// What is observed. Moves: `test/observe`.

/** Lines of pages, which may name any number, that have an account each. */
export const MOST_PAGE_LINES = 2_000;
/** Files of which places are remembered. */
export const MOST_FILES = 10_000;
/** Frames of a stack that are looked at for the program's line. */
export const DEEPEST_FRAME = 40;
/** Characters of a page's URL that are kept. */
export const LONGEST_URL = 300;
/** Milliseconds that a target outside the question may take to name its heap. */
export const UNWANTED_TARGET_MS = 1_000;
