// In its whole size.
import '../examples/engines.test.ts';
