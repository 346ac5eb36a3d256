import type { RequestTrace } from '../../src/pipeline/trace.ts';
import { DEFAULT_LIMITS, type ServerLimits } from '../../src/server/limits.ts';
import { createListener, type Listener, type ListenerOptions } from '../../src/server/listener.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { ByteSource, PassThrough, WireRequest, WireResponse } from '../../src/wire/message.ts';
import { RawClient } from './raw-client.ts';

export type TestHandle = (request: WireRequest, trace: RequestTrace) => Promise<WireResponse | PassThrough>;

/** A listener on a free port, with everything that it told. */
export class Listening implements AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  readonly records: RequestRecord[];
  readonly refusals: string[];
  readonly lines: string[];
  readonly #changed: () => Promise<void>;

  private constructor(
    parts: Pick<Listening, 'listener' | 'port' | 'records' | 'refusals' | 'lines'>,
    changed: () => Promise<void>,
  ) {
    this.listener = parts.listener;
    this.port = parts.port;
    this.records = parts.records;
    this.refusals = parts.refusals;
    this.lines = parts.lines;
    this.#changed = changed;
  }

  static async start(
    handle: TestHandle,
    options: { readonly limits?: Partial<ServerLimits> } & Pick<
      ListenerOptions,
      'tls' | 'proxies' | 'onHeadBytes'
    > = {},
  ): Promise<Listening> {
    const records: RequestRecord[] = [];
    const refusals: string[] = [];
    const lines: string[] = [];
    let wakers: (() => void)[] = [];
    const changed = () => new Promise<void>((resolve) => wakers.push(resolve));
    let count = 0;
    const listener = createListener({
      handle,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      tls: options.tls,
      proxies: options.proxies,
      onHeadBytes: options.onHeadBytes,
      metrics: {
        request: (record) => {
          records.push(record);
          for (const wake of wakers) wake();
          wakers = [];
        },
        refused: (reason) => refusals.push(reason),
      },
      log: createLog({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } }),
      newRequestId: () => `ID${++count}`,
    });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    return new Listening({ listener, port, records, refusals, lines }, changed);
  }

  open(from?: string): Promise<RawClient> {
    return RawClient.open(this.port, from);
  }

  /** The account of the nth request, once it is over. */
  async record(nth = 0): Promise<RequestRecord> {
    while (this.records.length <= nth) await this.#changed();
    return this.records[nth] as RequestRecord;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close({ graceSeconds: 0 });
  }
}

export function answer(
  status: number,
  body?: string | Buffer | ByteSource,
  headers: [string, string][] = [],
): WireResponse {
  return {
    status,
    headers: HeaderList.of(headers),
    body: typeof body === 'string' ? Buffer.from(body) : body,
  };
}

/** Reads the body and says how long it was and what it held. */
export const echo: TestHandle = async (request) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request.body) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  return answer(200, `${request.method} ${request.target.raw} ${body.length}:${body.toString('latin1').slice(0, 64)}`);
};

/** A promise and its ends. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}
