/**
 * What went wrong, for programs:
 * - `ERR_INIT_LOCK_TIMED_OUT`: a caller of `initWithLock` waited `maxWaitMs` for somebody else's init.
 * - `ERR_FETCH_TIMED_OUT`: a fetch of a `SingleFlightCache` took longer than `timeoutMs`.
 */
export type SingleFlightErrorCode = 'ERR_INIT_LOCK_TIMED_OUT' | 'ERR_FETCH_TIMED_OUT';

/**
 * The one error that this folder makes itself. Bad options get the standard TypeError and RangeError; all other errors come
 * from the caller's code.
 */
export class SingleFlightError extends Error {
  override readonly name = 'SingleFlightError';
  /** Stable, unlike the message: for programs. */
  readonly code: SingleFlightErrorCode;

  constructor(code: SingleFlightErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
