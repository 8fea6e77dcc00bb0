/** The package has no types of its own: what the tests use of it. */
declare module 'chrome-remote-interface' {
  import type { EventEmitter } from 'node:events';

  export type Callback = (error: unknown, response?: unknown) => void;
  export type Command = (
    params?: object,
    sessionId?: string | Callback,
    callback?: Callback,
  ) => Promise<unknown>;
  export interface Client extends EventEmitter {
    send(method: string, ...rest: unknown[]): Promise<unknown>;
    close(): Promise<void>;
    close(callback: () => void): void;
    readonly Runtime: Readonly<Record<string, Command>>;
    readonly [member: string]: unknown;
  }
  export default function CDP(options: object): Promise<Client>;
}
