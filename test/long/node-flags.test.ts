// In its whole size.
import '../process/node-flags.test.ts';
