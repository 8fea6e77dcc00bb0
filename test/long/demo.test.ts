// In its whole size.
import '../cli/demo.test.ts';
