// In its whole size.
import '../docs/readme-script.test.ts';
