// With what lies between the oldest and the newest.
import '../puppeteer/contexts-of-each-session.test.ts';
