// In its whole size.
import '../examples/examples.test.ts';
