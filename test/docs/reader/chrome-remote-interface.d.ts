/** The package has no types of its own: as much of those that people install for it as the documents show. */
declare module 'chrome-remote-interface' {
  export interface Client {
    send(method: string, params?: object, sessionId?: string): Promise<object>;
    on(event: string, listener: (params: object) => void): this;
    close(): Promise<void>;
    readonly Runtime: {
      evaluate(params: {
        readonly expression: string;
      }): Promise<{ readonly result: { readonly objectId?: string } }>;
    };
  }
  export default function CDP(options?: object): Promise<Client>;
}
