// In its whole size.
import '../threads/every-interleaving-of-two-producers.test.ts';
