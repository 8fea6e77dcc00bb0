// In its whole size.
import '../faults/close-while-queued.test.ts';
