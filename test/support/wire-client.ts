import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { TENANT } from './servers/gateway.ts';

/**
 * A client whose header values are bytes: node's and the SDKs' own re-encode some of them, merge fields and drop blanks.
 * Texts are latin1, a character a byte.
 */

export type Fields = readonly (readonly [name: string, value: string])[];

export interface WireAnswer {
  readonly status: number;
  /** In order, names in lower case. */
  readonly fields: Fields;
  readonly body: Buffer;
}

export interface Asked {
  readonly method: string;
  /** Needs no percent-encoding. */
  readonly path: string;
  readonly query?: string;
  readonly fields?: Fields;
  readonly body?: Buffer;
}

/** As it stands, unsigned. */
export async function exchange(
  port: number,
  { method, path, query, fields = [], body = Buffer.alloc(0) }: Asked,
): Promise<WireAnswer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const framing: Fields = [
    ['host', hostOf(port)],
    ['connection', 'close'],
    ...(method === 'GET' || method === 'HEAD' ? [] : [['content-length', String(body.length)] as const]),
  ];
  const target = query === undefined ? path : `${path}?${query}`;
  const lines = [...framing, ...fields].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, 'latin1'), body]));
  const received = await buffer(socket);
  const end = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...heads] = received.toString('latin1', 0, end).split('\r\n');
  const answered = heads.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^ | $/g, '')] as const;
  });
  const chunked = answered.some(([name, value]) => name === 'transfer-encoding' && value === 'chunked');
  const rest = received.subarray(end + 4);
  return { status: Number(statusLine.split(' ')[1]), fields: answered, body: chunked ? unchunked(rest) : rest };
}

function hostOf(port: number): string {
  return `127.0.0.1:${port}`;
}

function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(length > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
}

/** Signed with Version 4, from S3's documentation; the payload is not. */
export async function exchangeS3(port: number, asked: Asked): Promise<WireAnswer> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const own: Fields = [
    ['x-amz-date', time],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
  ];
  const fields = [...(asked.fields ?? []), ...own];
  const merged = new Map<string, string>([['host', hostOf(port)]]);
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const canonical = value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '');
    const before = merged.get(lower);
    merged.set(lower, before === undefined ? canonical : `${before},${canonical}`);
  }
  const signed = [...merged].sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const query = (asked.query ?? '')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = `${asked.method}\n${asked.path}\n${query}\n${lines}\n${names}\nUNSIGNED-PAYLOAD`;
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const key = scope
    .split('/')
    .reduce<Buffer>(
      (parent, text) => createHmac('sha256', parent).update(text).digest(),
      Buffer.from(`AWS4${TENANT.secretAccessKey}`),
    );
  const hashed = createHash('sha256').update(canonical, 'latin1').digest('hex');
  const signature = createHmac('sha256', key).update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${hashed}`).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${TENANT.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return exchange(port, { ...asked, fields: [...fields, ['authorization', authorization]] });
}

/** Signed as QingStor's documentation says. */
export async function exchangeQingstor(port: number, asked: Asked): Promise<WireAnswer> {
  const date: Fields = [['x-qs-date', new Date().toUTCString()]];
  const fields = [...(asked.fields ?? []), ...date];
  const own = fields
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .filter(([name]) => name.startsWith('x-qs-'))
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const type = fields.find(([name]) => name === 'content-type')?.[1].replace(/^[ \t]+|[ \t]+$/g, '') ?? '';
  const lines = own.map(([name, value]) => `${name}:${value}\n`).join('');
  const signature = createHmac('sha256', TENANT.secretAccessKey)
    .update(`${asked.method}\n\n${type}\n\n${lines}${asked.path}`, 'latin1')
    .digest('base64');
  return exchange(port, {
    ...asked,
    fields: [...fields, ['authorization', `QS ${TENANT.accessKeyId}:${signature}`]],
  });
}
