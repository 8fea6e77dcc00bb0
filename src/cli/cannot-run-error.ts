/**
 * What only the user can put right: an unknown option, no browser, no Puppeteer. The command line prints the
 * message as it stands, without a stack, and exits with 2; every other error is a bug of ours and exits with 1.
 */
export class CannotRunError extends Error {
  readonly code = 'ERR_CANNOT_RUN';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CannotRunError';
  }
}
