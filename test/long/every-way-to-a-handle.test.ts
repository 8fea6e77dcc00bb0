// In its whole size.
import '../testing/every-way-to-a-handle.test.ts';
