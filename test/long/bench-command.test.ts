// In its whole size.
import '../bench/bench-command.test.ts';
