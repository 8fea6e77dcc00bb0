/** The sizes of the pages' heaps at their last looks. Garbage is included, so no line is charged with them. */
export class PageHeaps {
  readonly #usedBytes = new Map<object, number>();

  get totalBytes(): number {
    let total = 0;
    for (const usedBytes of this.#usedBytes.values()) total += usedBytes;
    return total;
  }

  /** @param session through which the page was looked at. */
  note(session: object, usedBytes: number): void {
    this.#usedBytes.set(session, usedBytes);
  }

  forget(session: object): void {
    this.#usedBytes.delete(session);
  }
}
