/** The site that the uses of every-use.mjs are made for; by `openSite`. */
export const EVERY_USE_SITE: Readonly<Record<string, string>> = {
  '/': `
  <input type="text"><input type="file"><button aria-label="push" onclick="clicks = (globalThis.clicks ?? 0) + 1">push</button>
  <select><option value="a">a</option><option value="b">b</option></select>
  <div id="outer"><p>one</p><p>two</p><p>three</p></div>
  <iframe src="/frame"></iframe>`,
  '/frame': '<p>framed</p>',
  '/worker.js': '',
};
