// In its whole size.
import '../playwright/pages-to-come.test.ts';
