// In its whole size.
import '../playwright/leak-census.test.ts';
