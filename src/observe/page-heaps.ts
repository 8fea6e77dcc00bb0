/** How large the heaps of pages are, as they were when last looked at: garbage included, and so told of no line. */
export class PageHeaps {
  readonly #usedBytes = new Map<object, number>();

  get totalBytes(): number {
    let total = 0;
    for (const usedBytes of this.#usedBytes.values()) total += usedBytes;
    return total;
  }

  /** @param session by which the page was looked at. */
  note(session: object, usedBytes: number): void {
    this.#usedBytes.set(session, usedBytes);
  }

  forget(session: object): void {
    this.#usedBytes.delete(session);
  }
}
