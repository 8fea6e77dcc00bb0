// The whole size of test/cli/doctor-random-programs.test.ts.
import '../cli/doctor-random-programs.test.ts';
