/** What one measurement gives: plain figures, as they stand in the JSON that the bench writes. */

/** One run of one measurement. Times are in milliseconds, sizes in bytes. */
export interface Sample {
  /** Handles that the work was about; operations where there are none. */
  readonly handles: number;
  /** From the first drop (or the first operation) until the page had let go of all, or the work was done. */
  readonly elapsedMs: number;
  /** CPU time of the client's process, all threads, during `elapsedMs`; microseconds. */
  readonly cpuMicroseconds: number;
  /** Commands on the wire that released something, or moved survivors to be able to. */
  readonly commands: number;
  /** Longest time that the client's event loop was held up during `elapsedMs`; not watched in whole scripts. */
  readonly eventLoopDelayMs?: number;
  /** The client's resident memory at the end. */
  readonly rssBytes: number;
  /** The page's JavaScript heap at its highest, where it was watched. */
  readonly peakHeapBytes?: number;
  /** Objects alive in the page afterwards beyond those that the script keeps: the census. `null`: the page crashed. */
  readonly leftAlive?: number | null;
  /** Whether `leftAlive` has to be 0 for this sample to count. */
  readonly mustLetGo: boolean;
  /** The page's heap as the work went on: operations done, bytes. */
  readonly heap?: readonly (readonly [operations: number, bytes: number])[];
  /** What else there is to say, by name. */
  readonly extra?: Readonly<Record<string, number>>;
}

/** Whether the census bears the sample out. */
export function isProven({ mustLetGo, leftAlive }: Sample): boolean {
  return !mustLetGo || leftAlive === undefined || leftAlive === 0;
}

export function perHandleMs({ elapsedMs, handles }: Sample): number {
  return elapsedMs / handles;
}

export function commandsPerHandle({ commands, handles }: Sample): number {
  return commands / handles;
}
