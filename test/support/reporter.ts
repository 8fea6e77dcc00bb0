/**
 * What a run of the tests prints. A green run fits two screens: a line now and then, the tests that were skipped with
 * their reasons, and vitest's closing lines. A red one adds the failed tests and what they expected; nothing else.
 * Runs of few files list what they ran, as vitest does.
 */
import { DefaultReporter, type TestCase, type TestModule, type TestSpecification } from 'vitest/node';

/** Up to here a run is one of somebody who works on these files. */
const FEW_FILES = 10;
/** Lines of progress in a whole run. */
const LINES_OF_PROGRESS = 8;
const LONGEST_SHOWN = 5;

export default class Reporter extends DefaultReporter {
  #files = 0;
  #done = 0;
  #failed = 0;

  constructor() {
    super({ summary: false }); // It would redraw itself at the foot of a terminal.
  }

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart([...specifications]);
    this.#files = specifications.length;
  }

  protected override printTestModule(module: TestModule): void {
    this.#done++;
    if (module.state() === 'failed') this.#failed++;
    if (this.#files <= FEW_FILES) super.printTestModule(module);
    else this.#printProgress(module);
  }

  #printProgress(module: TestModule): void {
    if (module.state() === 'failed') {
      this.log(` × ${module.relativeModuleId}`);
      for (const test of module.children.allTests('failed')) this.log(`   × ${test.fullName}`);
    }
    const step = Math.ceil(this.#files / LINES_OF_PROGRESS);
    if (this.#done % step === 0 || this.#done === this.#files) {
      const seconds = Math.round((performance.now() - this.start) / 1_000);
      this.log(` ${this.#done} of ${this.#files} files, ${this.#failed} failed, ${seconds} s`);
    }
  }

  override onTestRunEnd(...[modules, ...rest]: Parameters<DefaultReporter['onTestRunEnd']>): void {
    if (modules.length > FEW_FILES) this.#printLongest(modules);
    this.#printSkipped(modules);
    super.onTestRunEnd(modules, ...rest);
  }

  #printLongest(modules: readonly TestModule[]): void {
    const longest = modules.toSorted((a, b) => b.diagnostic().duration - a.diagnostic().duration);
    const shown = longest.slice(0, LONGEST_SHOWN).map((module) => {
      return `${module.relativeModuleId} ${Math.round(module.diagnostic().duration / 1_000)} s`;
    });
    this.log(`\n The longest: ${shown.join(', ')}`);
  }

  /** By reason, what did not run. Where a name filter is set, most do not, and need no reason. */
  #printSkipped(modules: readonly TestModule[]): void {
    if (this.ctx.config.testNamePattern !== undefined) return;
    const byReason = new Map<string, Set<string>>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const reason = reasonOf(test);
        const names = byReason.get(reason) ?? new Set();
        byReason.set(reason, names.add(`${module.relativeModuleId} > ${nameOf(test, reason)}`));
      }
    }
    for (const [reason, names] of byReason) {
      this.log(`\n Skipped, ${reason}:`);
      for (const name of names) this.log(`   ${name}`);
    }
  }
}

/** That of its suite where all of it is skipped for the one reason. */
function nameOf(test: TestCase, reason: string): string {
  const { parent } = test;
  if (parent.type === 'module') return test.fullName;
  const siblings = [...parent.children.allTests()];
  const isWhole = siblings.every((each) => each.result().state === 'skipped' && reasonOf(each) === reason);
  return isWhole && siblings.length > 1 ? `${parent.fullName}: all ${siblings.length} tests` : test.fullName;
}

/** The widest: what a whole suite lacks comes before what one of its tests does. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  let reason = 'for no reason that it names';
  for (let at: TestCase | TestCase['parent'] = test; at.type !== 'module'; at = at.parent) {
    reason = at.meta().lacking ?? reason;
  }
  return reason;
}
