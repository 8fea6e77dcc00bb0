// In its whole size.
import '../process/holds-nothing-open.test.ts';
