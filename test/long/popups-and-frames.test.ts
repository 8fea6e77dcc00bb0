// In its whole size.
import '../faults/popups-and-frames.test.ts';
