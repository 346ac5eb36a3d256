import { HeaderList } from '../../src/wire/headers.ts';
import { type ByteSource, type WireClient, WireRequest } from '../../src/wire/message.ts';

/** A request as the listener would make it, for tests of dialects and pipeline without sockets. */
export function wireRequest(fields: {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: ByteSource | Buffer;
  /** Default: a program of this machine, over plain HTTP. */
  readonly client?: WireClient;
}): WireRequest {
  const { body } = fields;
  return new WireRequest({
    id: 'TEST0001',
    method: fields.method,
    rawTarget: fields.target,
    headers: HeaderList.of(fields.headers ?? []),
    body: Buffer.isBuffer(body) || body === undefined ? chunks(body === undefined ? [] : [body]) : body,
    client: fields.client ?? { address: '127.0.0.1', secure: false },
    signal: new AbortController().signal,
  });
}

export async function* chunks(buffers: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* buffers;
}

/** A signing secret for vectors; the real one is src/secret.ts. */
export function signingSecret(text: string): { reveal(): string } {
  return { reveal: () => text };
}
