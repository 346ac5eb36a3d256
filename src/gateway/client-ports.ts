import { isLoopback } from '../encryption/key-transport.ts';
import type { Handler } from '../pipeline/handle.ts';
import type { ListenAddress, Listener } from '../server/listener.ts';
import type { Config } from '../settings/config.ts';

/** What each port has of its own. */
interface OwnOptions {
  readonly handle: Handler;
  readonly headRoomBytes: number;
  readonly onHeadBytes: (bytes: number) => void;
}

/** The ports that clients reach: one that speaks every dialect, and one for each dialect whose settings have one. */
export class ClientPorts {
  readonly #config: Pick<Config, 'listen' | 'dialects'>;
  readonly #scheme: 'http' | 'https';
  readonly #main: Listener;
  readonly #own: ReadonlyMap<string, Listener>;

  /**
   * @param handlers `of` makes the handler of a port that speaks one dialect alone
   * @param opening `headRoomBytes` is for incomplete heads on all ports; `onHeadBytes` is told what those take now
   */
  constructor(
    config: Pick<Config, 'listen' | 'dialects' | 'tls'>,
    handlers: { readonly all: Handler; readonly of: (dialect: string) => Handler },
    opening: {
      readonly headRoomBytes: number;
      readonly onHeadBytes: (bytes: number) => void;
      readonly open: (own: OwnOptions) => Listener;
    },
  ) {
    this.#config = config;
    this.#scheme = config.tls.cert === undefined ? 'http' : 'https';
    const dialects = dialectPorts(config).map(([dialect]) => dialect);
    const headRoomBytes = Math.floor(opening.headRoomBytes / (1 + dialects.length));
    const held: number[] = [];
    const open = (handle: Handler, at: number): Listener => {
      const onHeadBytes = (bytes: number): void => {
        held[at] = bytes;
        opening.onHeadBytes(held.reduce((sum, each) => sum + each, 0));
      };
      return opening.open({ handle, headRoomBytes, onHeadBytes });
    };
    this.#main = open(handlers.all, 0);
    this.#own = new Map(dialects.map((dialect, at) => [dialect, open(handlers.of(dialect), at + 1)]));
  }

  get #listeners(): readonly Listener[] {
    return [this.#main, ...this.#own.values()];
  }

  /** @throws Error with code EADDRINUSE, EACCES or another that says why it cannot listen */
  async listen(): Promise<void> {
    await this.#main.listen(this.#config.listen);
    // One after the other: workers must open them in the same order to share those of port 0.
    for (const [dialect, address] of dialectPorts(this.#config)) await this.#own.get(dialect)?.listen(address);
  }

  /** The URL of the port that speaks every dialect. */
  get endpoint(): string {
    return urlOf(this.#scheme, this.#main.address);
  }

  /** The URLs of the ports that speak one dialect alone, by the dialect's name. */
  get dialectEndpoints(): ReadonlyMap<string, string> {
    return new Map([...this.#own].map(([dialect, { address }]) => [dialect, urlOf(this.#scheme, address)]));
  }

  /** How many client connections are open now. */
  get connectionCount(): number {
    return this.#listeners.reduce((count, listener) => count + listener.connectionCount, 0);
  }

  get requestsInFlight(): number {
    return this.#listeners.reduce((count, listener) => count + listener.requestsInFlight, 0);
  }

  /** Takes over the certificate of the settings, for handshakes from now on. */
  reload(config: Pick<Config, 'tls'>): void {
    const tls = listenerTls(config);
    if (tls !== undefined) for (const listener of this.#listeners) listener.setCertificate(tls);
  }

  /** Closes all ports at once (`Listener.close`). */
  async close(options: Parameters<Listener['close']>[0]): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close(options)));
  }
}

/** The addresses of the ports that speak one dialect alone, with the dialect's name. */
export function dialectPorts({ dialects }: Pick<Config, 'dialects'>): (readonly [string, ListenAddress])[] {
  return Object.entries(dialects).flatMap(([dialect, { listen }]) =>
    listen === undefined ? [] : [[dialect, listen] as const],
  );
}

/** Whether all ports are for clients on this machine alone. */
export function listensOnLoopback(config: Pick<Config, 'listen' | 'dialects'>): boolean {
  return [config.listen, ...dialectPorts(config).map(([, address]) => address)].every(({ host }) => isLoopback(host));
}

/** The certificate and key of ports that speak TLS; undefined where they speak plain HTTP. */
export function listenerTls({ tls }: Pick<Config, 'tls'>): { readonly cert: string; readonly key: string } | undefined {
  return tls.cert === undefined || tls.key === undefined ? undefined : { cert: tls.cert, key: tls.key.reveal() };
}

export function urlOf(scheme: string, address: { readonly address: string; readonly port: number }): string {
  const host = address.address.includes(':') ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}
