// In its whole size.
import '../testing/expect-no-leaks.test.ts';
