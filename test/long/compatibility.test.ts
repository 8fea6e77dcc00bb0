// In its whole size.
import '../versions/compatibility.test.ts';
