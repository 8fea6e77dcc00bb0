// In its whole size.
import '../process/ends-as-without-us.test.ts';
