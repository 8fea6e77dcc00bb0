// In its whole size.
import '../playwright/never-early.test.ts';
