// In its whole size.
import '../faults/browser-killed.test.ts';
