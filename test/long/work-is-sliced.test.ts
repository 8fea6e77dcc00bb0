// In its whole size.
import '../handles/work-is-sliced.test.ts';
