// In its whole size.
import '../cli/report-files.test.ts';
