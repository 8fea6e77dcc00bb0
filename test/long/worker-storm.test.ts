// In its whole size.
import '../faults/worker-storm.test.ts';
