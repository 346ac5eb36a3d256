import { type Agent, request } from 'node:http';
import { type Signing, sign, target, type UnsignedRequest } from '../dialects/s3/signature/signing.ts';

/** What came back, whole. */
export interface RawAnswered {
  readonly status: number;
  readonly body: string;
  readonly code: string | undefined;
}

/** A request whose target goes over the wire as it stands: nothing on the way makes a path of it. */
export interface RawAsked {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** @throws Error when there is no whole answer within the time */
export function rawExchange(
  { port, agent, patienceMilliseconds }: { port: number; agent: Agent; patienceMilliseconds: number },
  { method, target, headers, body }: RawAsked,
): Promise<RawAnswered> {
  return new Promise((resolve, reject) => {
    const fields = Object.fromEntries([...headers, ['content-length', String(body.length)] as const]);
    const signal = AbortSignal.timeout(patienceMilliseconds);
    const sent = request(
      { host: '127.0.0.1', port, method, path: target, headers: fields, agent, signal },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString('latin1');
          resolve({ status: answer.statusCode ?? 0, body: text, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1] });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Signed by the AWS SDK's own signer, over exactly this path and query. */
export async function signedExchange(asked: UnsignedRequest, as: Signing): Promise<RawAsked> {
  const body = Buffer.isBuffer(asked.body) ? asked.body : Buffer.alloc(0);
  const signed = await sign({ ...asked, body }, as);
  return { method: asked.method, target: target(asked.path, asked.query ?? {}), headers: signed.headers, body };
}
