// A web site on two origins of different sites, `here` and `elsewhere`, so that a frame from the other one gets a
// process of its own. Both are secure contexts to Chromium, as service workers want it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Site extends AsyncDisposable {
  readonly here: string;
  readonly elsewhere: string;
}

const TYPES = { html: 'text/html', js: 'text/javascript' } as const;

/** Serves `pages` by path, each as HTML or, where the path ends in `.js`, as a script. Anything else is an empty page. */
export async function openSite(pages: Readonly<Record<string, string>> = {}): Promise<Site> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    response.setHeader('content-type', path.endsWith('.js') ? TYPES.js : TYPES.html);
    response.end(pages[path] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    here: `http://localhost:${port}`,
    elsewhere: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
