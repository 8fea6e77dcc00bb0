// Preloaded to an example: a Puppeteer or Playwright that is told nothing launches the browser that is here.
const { args, ...here } = JSON.parse(process.env.LAUNCH_OPTIONS);
const isPlaywright = /playwright/.test(process.argv[1]);
const launcher = isPlaywright ? (await import('playwright')).chromium : (await import('puppeteer')).default;
const { launch } = launcher;
launcher.launch = (options = {}) =>
  launch.call(launcher, {
    ...here,
    ...options,
    executablePath: here.executablePath,
    headless: true,
    args: [...args, ...(options.args ?? [])],
  });
