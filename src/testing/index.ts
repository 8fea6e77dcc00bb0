export { type ExpectNoLeaksOptions, expectNoLeaks, LeakError, type LeakedLine } from './expect-no-leaks.ts';
