// In its whole size.
import '../cli/doctor-of-many.test.ts';
