// In its whole size.
import '../faults/detach-and-attach-again.test.ts';
