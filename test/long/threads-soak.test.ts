// In its whole size.
import '../threads/soak.test.ts';
