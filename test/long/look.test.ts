// In its whole size.
import '../cli/look.test.ts';
