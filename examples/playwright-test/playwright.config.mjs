export default {
  testMatch: '*.spec.mjs',
  fullyParallel: true,
  use: { browserName: 'chromium' },
};
