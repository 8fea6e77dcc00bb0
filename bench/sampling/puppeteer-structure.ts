/** The members of Puppeteer that the bench uses on top of those that the library does. */
import type {
  BrowserLike,
  CdpSessionLike,
  ConnectionLike,
  PageLike,
} from '../../src/clients/puppeteer/structure.ts';

export interface BenchPuppeteer {
  connect(options: object): Promise<BenchBrowser>;
  launch(options: object): Promise<BenchBrowser>;
}

export interface BenchBrowser extends BrowserLike {
  readonly connected: boolean;
  newPage(): Promise<BenchPage>;
  createBrowserContext(): Promise<{ newPage(): Promise<BenchPage>; close(): Promise<void> }>;
  version(): Promise<string>;
  wsEndpoint(): string;
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

export interface BenchPage extends PageLike {
  _client(): CdpSessionLike;
  on(event: 'console' | 'error', listener: (what: unknown) => void): unknown;
  evaluate<Args extends unknown[]>(pageFunction: (...args: Args) => unknown, ...args: Args): Promise<unknown>;
  evaluateHandle<Args extends unknown[]>(
    pageFunction: (...args: Args) => unknown,
    ...args: Args
  ): Promise<BenchHandle>;
  $$(selector: string): Promise<BenchHandle[]>;
  close(): Promise<void>;
}

export interface BenchHandle {
  dispose(): Promise<void>;
  getProperties(): Promise<Map<string, BenchHandle>>;
  remoteObject(): { readonly objectId?: string };
  [Symbol.dispose](): void;
}

/** Puppeteer's connection, with the one method that every command passes through. Not public. */
export interface CountableConnection extends ConnectionLike {
  _rawSend(callbacks: unknown, method: string, ...rest: unknown[]): Promise<unknown>;
}
