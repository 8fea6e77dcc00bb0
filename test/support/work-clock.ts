import { vi } from 'vitest';

/**
 * Has `performance.now` go on by a millisecond with each look at it, until mocks are restored: what is done before a
 * deadline is then a count of steps, the same on any machine.
 */
export function countLooksAsTime(): void {
  let now = Math.ceil(performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => now++);
}
