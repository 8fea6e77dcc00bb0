// In its whole size.
import '../bench/measurements.test.ts';
