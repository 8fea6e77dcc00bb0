// What the engines here have to do: a shop of generated pages on a local server, and a job as scripts are written. Put
// your own addresses and your own job in their place.
import { createServer } from 'node:http';

const ROWS = 10;

/** @returns the addresses of its pages. The server keeps no process alive. */
export async function openShop(pages = 20) {
  const server = createServer((request, response) => {
    const [, number] = /^\/shelf\/(\d+)$/.exec(request.url ?? '') ?? [];
    response.writeHead(number === undefined ? 404 : 200, { 'content-type': 'text/html' });
    response.end(number === undefined ? '' : shelf(Number(number)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const origin = `http://127.0.0.1:${server.address().port}`;
  return Array.from({ length: pages }, (_, number) => `${origin}/shelf/${number}`);
}

function shelf(number) {
  const rows = Array.from(
    { length: ROWS },
    (_, row) => `<tr><td>article ${row}</td><td class="price">${number + row}</td></tr>`,
  );
  return `<!doctype html><title>shelf ${number}</title><table>${rows.join('')}</table>
    <script>function offer() { return { ballast: new Array(1_000).fill(0.5) }; }</script>`;
}

/**
 * Adds up the prices of a page. It disposes of nothing, and of the errors that it catches it could not dispose.
 *
 * @returns the sum.
 */
export async function scrape(page) {
  let total = 0;
  for (const row of await page.$$('tr')) {
    const price = await row.$('.price');
    total += Number(await price.evaluate((node) => node.textContent));
    await page.evaluateHandle(() => offer());
    await page.evaluate(() => Promise.reject(offer())).catch(() => {});
  }
  return total;
}
