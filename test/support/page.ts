import { JSDOM, VirtualConsole } from 'jsdom';

/** An answer as a page of another origin sees it. */
export interface Seen {
  readonly status: number;
  readonly body: Buffer;
  /** Undefined for what the answer does not have, or does not expose to the page. */
  header(name: string): string | undefined;
  /** All that it has, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageRequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | ReadonlyMap<string, string | Buffer>;
}

/**
 * A web page of an origin, in jsdom: its XMLHttpRequest keeps pages to what answers of other origins allow, as browsers
 * do: preflights, origins, methods, headers sent and headers read.
 */
export class Page {
  readonly #window: JSDOM['window'];

  constructor(origin: string) {
    // A console of its own: what it says of refused requests is what the tests are about.
    this.#window = new JSDOM('', { url: `${origin}/`, virtualConsole: new VirtualConsole() }).window;
  }

  /** Undefined where the browser does not let the page have the answer, or send the request at all. */
  send(url: string, { method = 'GET', headers = {}, body }: PageRequestOptions = {}): Promise<Seen | undefined> {
    const request = new this.#window.XMLHttpRequest();
    return new Promise((resolve) => {
      request.open(method, url);
      request.responseType = 'arraybuffer';
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.onerror = () => resolve(undefined);
      request.onload = () =>
        resolve({
          status: request.status,
          body: Buffer.from(request.response ?? new ArrayBuffer(0)),
          headers: headersIn(request.getAllResponseHeaders()),
          header: (name) => request.getResponseHeader(name) ?? undefined,
        });
      request.send(body === undefined || Buffer.isBuffer(body) ? body && bytesOf(body) : this.#form(body));
    });
  }

  close(): void {
    this.#window.close();
  }

  /** multipart/form-data; a Buffer is a file. */
  #form(fields: ReadonlyMap<string, string | Buffer>): object {
    const form = new this.#window.FormData();
    for (const [name, value] of fields) {
      if (typeof value === 'string') form.append(name, value);
      else form.append(name, new this.#window.Blob([bytesOf(value)], { type: 'image/jpeg' }), 'photo.jpg');
    }
    return form;
  }
}

function headersIn(lines: string): Record<string, string> {
  const fields = lines.split('\r\n').filter((line) => line !== '');
  return Object.fromEntries(
    fields.map((line) => [line.split(':', 1)[0]?.toLowerCase(), line.replace(/^[^:]*: */, '')]),
  );
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
