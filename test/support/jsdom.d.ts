/** jsdom ships no types: what the tests use of it. */
declare module 'jsdom' {
  export interface PageRequest {
    readonly status: number;
    readonly response: ArrayBuffer | null;
    /** The page asks for bytes. */
    responseType: 'arraybuffer';
    onload: () => void;
    /** Also where the page may not read the answer. */
    onerror: () => void;
    open(method: string, url: string): void;
    setRequestHeader(name: string, value: string): void;
    /** Null for what the answer does not expose to the page. */
    getResponseHeader(name: string): string | null;
    /** Lines of what it exposes. */
    getAllResponseHeaders(): string;
    send(body?: ArrayBuffer | object): void;
  }

  export interface PageForm {
    append(name: string, value: string | object, fileName?: string): void;
  }

  export class VirtualConsole {}

  export class JSDOM {
    constructor(html: string, options: { readonly url: string; readonly virtualConsole: VirtualConsole });
    readonly window: {
      readonly XMLHttpRequest: new () => PageRequest;
      readonly FormData: new () => PageForm;
      readonly Blob: new (parts: readonly ArrayBuffer[], options: { readonly type: string }) => object;
      close(): void;
    };
  }
}
