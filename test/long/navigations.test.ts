// In its whole size.
import '../faults/navigations.test.ts';
