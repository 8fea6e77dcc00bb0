// In its whole size.
import '../handles/property.test.ts';
