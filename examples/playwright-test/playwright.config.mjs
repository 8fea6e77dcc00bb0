// For a machine that needs any: LAUNCH_OPTIONS='{"executablePath":"/usr/bin/chromium","args":["--no-sandbox"]}'.
const { executablePath, args } = JSON.parse(process.env.LAUNCH_OPTIONS ?? '{}');

export default {
  testDir: '.',
  testMatch: '*.spec.mjs',
  fullyParallel: true,
  workers: 3,
  reporter: 'line',
  outputDir: process.env.OUTPUT ?? 'test-results',
  use: { browserName: 'chromium', launchOptions: { executablePath, args } },
};
