// In its whole size.
import '../faults/network.test.ts';
