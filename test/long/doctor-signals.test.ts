// In its whole size.
import '../cli/doctor-signals.test.ts';
