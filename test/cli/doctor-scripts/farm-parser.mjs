/** Reads a page's prices. Disposes of the cells, and forgets the table. */
export async function readPrices(page) {
  const table = await page.$('table'); // leaks 9 node
  const cells = await table.$$('td.price');
  try {
    return await Promise.all(cells.map((cell) => cell.evaluate((node) => node.textContent)));
  } finally {
    await Promise.all(cells.map((cell) => cell.dispose()));
  }
}
