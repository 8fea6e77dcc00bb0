/**
 * An error that only the user can correct: an unknown option, no browser, no Puppeteer. The command line prints its message
 * without a stack, and exits with 2. Every other error is a bug of ours, and exits with 1.
 */
export class CannotRunError extends Error {
  readonly code = 'ERR_CANNOT_RUN';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CannotRunError';
  }
}
