export {
  type ExpectNoLeaksOptions,
  expectNoLeaks,
  type HeldElsewhere,
  LeakError,
  type LeakedLine,
} from './expect-no-leaks.ts';
