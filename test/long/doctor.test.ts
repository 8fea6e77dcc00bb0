// In its whole size.
import '../cli/doctor.test.ts';
