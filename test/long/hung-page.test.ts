// In its whole size.
import '../faults/hung-page.test.ts';
