export interface Run {
  readonly runtime: string;
  readonly puppeteer: string;
  readonly browser: string;
  /** By the name of each check: `passed`, or why not. */
  readonly outcomes?: Readonly<Record<string, string>>;
  /** Why nothing could be run. */
  readonly error?: string;
}
export function tableOf(runs: readonly Run[]): string;
