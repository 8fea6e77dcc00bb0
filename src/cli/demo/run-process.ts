/**
 * The entry of a process that does one run for the demo. Its first message says what to do. It reports its progress, and
 * always ends with its parent.
 */
import type { FoundBrowser } from '../browser-finder.ts';
import { CannotRunError } from '../cannot-run-error.ts';
import { type Progress, type RunResult, run, type Side } from './run.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export interface RunOrder {
  readonly side: Side;
  readonly name: Scenario['name'];
  readonly operations: number;
  readonly browser: FoundBrowser;
}

export type RunMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly result: RunResult }
  | { readonly kind: 'failure' | 'cannotRun'; readonly message: string };

process.once('message', (order: RunOrder) => void carryOut(order));
// A parent that is gone needs no result. The browser ends with the pipe.
process.once('disconnect', () => process.exit());

async function carryOut({ side, name, operations, browser }: RunOrder): Promise<void> {
  try {
    const onProgress = (progress: Progress): void => tell({ kind: 'progress', progress });
    const result = await run(side, SCENARIOS[name], operations, browser, onProgress);
    conclude({ kind: 'result', result });
  } catch (error) {
    if (error instanceof CannotRunError) conclude({ kind: 'cannotRun', message: error.message });
    else conclude({ kind: 'failure', message: String((error as Error)?.stack ?? error) });
  }
}

function tell(message: RunMessage): void {
  process.send?.(message);
}

/** Ends the process with the last message. Promises that a crashed page never settles would keep it for minutes. */
function conclude(message: RunMessage): void {
  process.send?.(message, () => process.exit());
}
