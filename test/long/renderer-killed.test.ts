// In its whole size.
import '../faults/renderer-killed.test.ts';
