// In its whole size.
import '../playwright/register.test.ts';
