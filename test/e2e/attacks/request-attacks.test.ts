import { createHash } from 'node:crypto';
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chunking, chunked } from '../../dialects/s3/signature/chunking.ts';
import { presign, type Signing, sign, target, type UnsignedRequest } from '../../dialects/s3/signature/signing.ts';
import { RawClient } from '../../server/raw-client.ts';
import { payload } from '../../support/payload.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, expectAbsent, expectServed, listedKeys, onceClient } from '../../support/sight.ts';

/**
 * Requests as an attacker on the wire would make them: recorded ones changed, replayed, cut and hidden in each other.
 * Each must get exactly this answer, and afterwards the store must look as it did before.
 */

const BUCKET = 'acme-raw';
const KEPT = 'kept';
const before = Buffer.from('what lay there before the attack');
const LIMITS = { headerSeconds: 1, idleSeconds: 1, minUploadBytesPerSecond: 1000, headerBytes: '16 KiB' };

/** What goes over the wire. The length is added unless a test says how. */
interface Wire {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Default: `Content-Length` and `Connection: close`. */
  readonly framing?: string;
}

let stand: Stand & Awaited<ReturnType<typeof standOnMinio>>;
let client: S3Client;
let store: S3Client;
let count = 0;

beforeAll(async () => {
  stand = await standOnMinio({ more: { limits: LIMITS } });
  client = onceClient(stand.gateway);
  store = backendClient(stand.minio);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEPT, Body: before }));
});

afterAll(async () => {
  for (const each of [client, store]) each?.destroy();
  await stand?.stop();
});

function signing(over: Partial<Signing> = {}): Signing {
  const { accessKeyId, secretAccessKey } = TENANT;
  return { accessKeyId, secretAccessKey, host: `127.0.0.1:${stand.gateway.port}`, date: new Date(), ...over };
}

const SMALL = Buffer.from('forged bytes');

/** A valid PUT of the key: what an attack changes. */
async function honest(key: string, over: Partial<UnsignedRequest> = {}, as: Partial<Signing> = {}): Promise<Wire> {
  const request: UnsignedRequest = {
    method: 'PUT',
    path: `/${BUCKET}/${key}`,
    query: { 'x-id': 'PutObject' },
    headers: { 'content-type': 'text/plain', 'x-amz-meta-color': 'red' },
    body: SMALL,
    ...over,
  };
  const signed = await sign(request, signing(as));
  return { method: request.method, target: signed.target, headers: signed.headers, body: request.body as Buffer };
}

function bytesOf({ method, target, headers, body, framing }: Wire): Buffer {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const frame = framing ?? `Content-Length: ${body.length}\r\nConnection: close\r\n`;
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}${frame}\r\n`, 'latin1'), body]);
}

const codeIn = (text: string) => /<Code>(.*?)<\/Code>/.exec(text)?.[1];

/** @param finish whether the client closes its side, which cuts short what is not whole */
async function answerTo(bytes: Buffer, { finish = false } = {}) {
  await using raw = await RawClient.open(stand.gateway.port);
  raw.send(bytes);
  if (finish) raw.finish();
  const { statuses, text, reset } = await raw.closed();
  expect(reset).toBe(false);
  return { statuses, code: codeIn(text), text };
}

/** Attacks a key that is free and one that is taken; neither may show it. */
async function attack(
  forge: (key: string) => Promise<Wire | Buffer>,
  expected: readonly [number, string | undefined],
  options: { readonly finish?: boolean } = {},
): Promise<void> {
  const free = `free/${++count}`;
  for (const key of [free, KEPT]) {
    const forged = await forge(key);
    const { statuses, code, text } = await answerTo(Buffer.isBuffer(forged) ? forged : bytesOf(forged), options);
    expect([statuses, code], text).toEqual([[expected[0]], expected[1]]);
  }
  await expectAbsent(client, BUCKET, free);
  await expectServed(client, BUCKET, KEPT, before);
}

const hash = (body: Buffer) => createHash('sha256').update(body).digest('hex');

function changed(wire: Wire, name: string, change: (value: string) => string): Wire {
  expect(wire.headers.map(([each]) => each)).toContain(name);
  return {
    ...wire,
    headers: wire.headers.map(([each, value]) => [each, each === name ? change(value) : value] as const),
  };
}

const authorization = (wire: Wire, change: (value: string) => string) => changed(wire, 'authorization', change);
const added = (wire: Wire, ...more: (readonly [string, string])[]): Wire => ({
  ...wire,
  headers: [...wire.headers, ...more],
});
const without = (wire: Wire, name: string): Wire => ({
  ...wire,
  headers: wire.headers.filter(([each]) => each !== name),
});

it('takes the request that all these attacks begin with', async () => {
  const { statuses } = await answerTo(bytesOf(await honest('honest')));
  expect(statuses).toEqual([200]);
  await expectServed(client, BUCKET, 'honest', SMALL);
});

const NO_MATCH = [403, 'SignatureDoesNotMatch'] as const;
const MALFORMED = [400, 'AuthorizationHeaderMalformed'] as const;
const MALFORMED_QUERY = [400, 'AuthorizationQueryParametersError'] as const;
const MINUTE = 60_000;
const later = (milliseconds: number) => new Date(Date.now() + milliseconds);

describe('a signature in the header', () => {
  it.each<readonly [string, (key: string) => Promise<Wire>, readonly [number, string]]>([
    ['of another method', async (key) => ({ ...(await honest(key, { method: 'GET' })), method: 'PUT' }), NO_MATCH],
    [
      'of another path',
      async (key) => ({ ...(await honest('x')), target: `/${BUCKET}/${key}?x-id=PutObject` }),
      NO_MATCH,
    ],
    [
      'of the same path otherwise encoded, of another key',
      async (key) => ({ ...(await honest('x')), target: `/${BUCKET}/x/../${key}?x-id=PutObject` }),
      NO_MATCH,
    ],
    ['with a query less', async (key) => ({ ...(await honest(key)), target: `/${BUCKET}/${key}` }), NO_MATCH],
    ['with another host', async (key) => changed(await honest(key), 'host', () => 'localhost:1'), NO_MATCH],
    [
      'with another content type',
      async (key) => changed(await honest(key), 'content-type', () => 'text/html'),
      NO_MATCH,
    ],
    ['with other metadata', async (key) => changed(await honest(key), 'x-amz-meta-color', () => 'blue'), NO_MATCH],
    [
      'dated a second later',
      async (key) => {
        const { headers } = await honest(key, {}, { date: later(1000) });
        const date = headers.find(([name]) => name === 'x-amz-date')?.[1] as string;
        return changed(await honest(key), 'x-amz-date', () => date);
      },
      NO_MATCH,
    ],
    [
      'with another body and its hash',
      async (key) => {
        const body = Buffer.from('FORGED bytes');
        return { ...changed(await honest(key), 'x-amz-content-sha256', () => hash(body)), body };
      },
      NO_MATCH,
    ],
    [
      'with the body declared unsigned',
      async (key) => changed(await honest(key), 'x-amz-content-sha256', () => 'UNSIGNED-PAYLOAD'),
      NO_MATCH,
    ],
    [
      'with another body',
      async (key) => ({ ...(await honest(key)), body: Buffer.from('FORGED bytes') }),
      [400, 'XAmzContentSHA256Mismatch'],
    ],
    [
      'with a longer body',
      async (key) => ({ ...(await honest(key)), body: Buffer.from('forged bytes!') }),
      [400, 'XAmzContentSHA256Mismatch'],
    ],
    [
      'with no body',
      async (key) => ({ ...(await honest(key)), body: Buffer.alloc(0) }),
      [400, 'XAmzContentSHA256Mismatch'],
    ],
    ['with a signed field twice', async (key) => added(await honest(key), ['x-amz-meta-color', 'blue']), NO_MATCH],
    ['with a signed field taken away', async (key) => without(await honest(key), 'x-amz-meta-color'), NO_MATCH],
    [
      'with metadata that is not signed',
      async (key) => added(await honest(key), ['X-Amz-Meta-Role', 'admin']),
      [403, 'AccessDenied'],
    ],
    [
      'with an ACL that is not signed',
      async (key) => added(await honest(key), ['x-amz-acl', 'public-read']),
      [403, 'AccessDenied'],
    ],
    [
      'with a tag that is not signed',
      async (key) => added(await honest(key), ['x-amz-tagging', 'a=1']),
      [403, 'AccessDenied'],
    ],
    [
      'there twice',
      async (key) => {
        const wire = await honest(key);
        return added(wire, ...wire.headers.filter(([name]) => name === 'authorization'));
      },
      [400, 'InvalidArgument'],
    ],
    [
      'beside one in the query',
      async (key) => {
        const { target } = await presign({ method: 'PUT', path: `/${BUCKET}/${key}` }, 300, signing());
        return { ...(await honest(key)), target };
      },
      [400, 'InvalidArgument'],
    ],
    [
      'that leaves the host out',
      async (key) => authorization(await honest(key), (value) => value.replace(';host;', ';')),
      MALFORMED,
    ],
    [
      'that leaves metadata out',
      async (key) => authorization(await honest(key), (value) => value.replace(';x-amz-meta-color', '')),
      [403, 'AccessDenied'],
    ],
    [
      'with a bit flipped',
      async (key) =>
        authorization(await honest(key), (value) => value.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))),
      NO_MATCH,
    ],
    [
      'of zeros',
      async (key) => authorization(await honest(key), (value) => value.replace(/[0-9a-f]{64}$/, '0'.repeat(64))),
      NO_MATCH,
    ],
    ['cut short', async (key) => authorization(await honest(key), (value) => value.slice(0, -1)), MALFORMED],
    [
      'in capitals',
      async (key) =>
        authorization(await honest(key), (value) =>
          value.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase().replace(/[0-9]/g, 'A')),
        ),
      MALFORMED,
    ],
    [
      'left empty',
      async (key) => authorization(await honest(key), (value) => value.replace(/[0-9a-f]{64}$/, '')),
      MALFORMED,
    ],
    ['under another secret', (key) => honest(key, {}, { secretAccessKey: 'anotherSecretAccessKey' }), NO_MATCH],
    [
      'of an access key that nobody has',
      (key) => honest(key, {}, { accessKeyId: 'AKIDNOBODY' }),
      [403, 'InvalidAccessKeyId'],
    ],
    ['for another region', (key) => honest(key, {}, { region: 'eu-central-1' }), MALFORMED],
    ['for another service', (key) => honest(key, {}, { service: 'sts' }), MALFORMED],
    [
      'with another day in its scope',
      async (key) => authorization(await honest(key), (value) => value.replace(/\/\d{8}\//, '/20200101/')),
      MALFORMED,
    ],
    ['of 16 minutes ago', (key) => honest(key, {}, { date: later(-16 * MINUTE) }), [403, 'RequestTimeTooSkewed']],
    ['of 16 minutes ahead', (key) => honest(key, {}, { date: later(16 * MINUTE) }), [403, 'RequestTimeTooSkewed']],
    ['that is not there', async (key) => without(await honest(key), 'authorization'), [403, 'AccessDenied']],
    [
      'of version 2',
      async (key) => authorization(await honest(key), () => `AWS ${TENANT.accessKeyId}:c2lnbmF0dXJl`),
      [400, 'InvalidRequest'],
    ],
    [
      'of another scheme',
      async (key) => authorization(await honest(key), () => 'Bearer token'),
      [400, 'InvalidArgument'],
    ],
    [
      'by elliptic curves',
      async (key) => authorization(await honest(key), (value) => value.replace('HMAC-SHA256', 'ECDSA-P256-SHA256')),
      [501, 'NotImplemented'],
    ],
    [
      'with a session token',
      (key) => honest(key, { headers: { 'x-amz-security-token': 'token' } }),
      [400, 'InvalidToken'],
    ],
  ])('%s', (_name, forge, expected) => attack(forge, expected));

  it.each([
    ['changed', 'prefix=secret%2F', 'prefix=s'],
    ['more', 'prefix=secret%2F', 'max-keys=5&prefix=secret%2F'],
    ['less', 'max-keys=5&prefix=secret%2F', 'max-keys=5'],
  ])('with a parameter of its query %s', async (_name, signed, sent) => {
    const query = Object.fromEntries(new URLSearchParams(signed));
    const wire = await honest('', { method: 'GET', path: `/${BUCKET}`, query, headers: {}, body: Buffer.alloc(0) });
    expect(await answerTo(bytesOf(wire))).toMatchObject({ statuses: [200] });
    const { statuses, code } = await answerTo(bytesOf({ ...wire, target: `/${BUCKET}?${sent}` }));
    expect([statuses, code]).toEqual([[403], 'SignatureDoesNotMatch']);
  });

  it('of 14 minutes ago is within the window', async () => {
    const { statuses } = await answerTo(bytesOf(await honest('honest', {}, { date: later(-14 * MINUTE) })));
    expect(statuses).toEqual([200]);
  });

  it('of one request opens no other bucket and no other tenant’s', async () => {
    const wire = await honest('x', { path: '/other-bucket/x' });
    const { statuses, code } = await answerTo(bytesOf(wire));
    expect([statuses, code]).toEqual([[403], 'AccessDenied']);
  });
});

describe('a presigned URL', () => {
  interface Presigned {
    readonly method?: string;
    readonly expires?: number;
    readonly as?: Partial<Signing>;
    readonly change?: (target: string) => string;
    readonly headers?: Readonly<Record<string, string>>;
  }
  async function url(
    key: string,
    { method = 'PUT', expires = 60, as, change = (same) => same, headers }: Presigned = {},
  ) {
    const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const request = { method, path: `/${BUCKET}/${key}`, headers: { ...unsigned, ...headers } };
    const signed = await presign(request, expires, signing(as));
    return { method: 'PUT', target: change(signed.target), headers: signed.headers, body: SMALL };
  }

  it('works, for what it was made for', async () => {
    expect(await answerTo(bytesOf(await url('presigned')))).toMatchObject({ statuses: [200] });
    await expectServed(client, BUCKET, 'presigned', SMALL);
  });

  it.each<readonly [string, Presigned, readonly [number, string]]>([
    ['past its time', { as: { date: later(-2 * MINUTE) } }, [403, 'AccessDenied']],
    ['from the future', { as: { date: later(16 * MINUTE) } }, [403, 'AccessDenied']],
    ['made for GET', { method: 'GET' }, NO_MATCH],
    ['with its time stretched', { change: (same) => same.replace('Expires=60', 'Expires=600') }, NO_MATCH],
    ['for longer than a week', { change: (same) => same.replace('Expires=60', 'Expires=604801') }, MALFORMED_QUERY],
    ['for no time', { change: (same) => same.replace('Expires=60', 'Expires=0') }, [403, 'AccessDenied']],
    ['with a parameter more', { change: (same) => `${same}&x-amz-acl=public-read` }, NO_MATCH],
    ['with a parameter twice', { change: (same) => `${same}&X-Amz-Expires=60` }, MALFORMED_QUERY],
    ['with its signature twice', { change: (same) => `${same}&X-Amz-Signature=${'0'.repeat(64)}` }, MALFORMED_QUERY],
    ['without its signature', { change: (same) => same.replace(/X-Amz-Signature=[^&]*&?/, '') }, MALFORMED_QUERY],
    ['under another secret', { as: { secretAccessKey: 'anotherSecret' } }, NO_MATCH],
    ['with a session token', { change: (same) => `${same}&X-Amz-Security-Token=t` }, [400, 'InvalidToken']],
  ])('%s', (_name, forged, expected) => attack((key) => url(key, forged), expected));

  it('with a field that contradicts it, or one that is not signed', async () => {
    const headers = { 'x-amz-meta-color': 'red' };
    await attack(
      async (key) => {
        const wire = await url(key, { headers });
        return added({ ...wire, headers: wire.headers.filter(([name]) => name === 'host') }, [
          'x-amz-meta-color',
          'blue',
        ]);
      },
      [400, 'InvalidArgument'],
    );
    await attack(async (key) => added(await url(key), ['x-amz-acl', 'public-read']), [403, 'AccessDenied']);
  });
});

type Form = 'signed' | 'signed-trailer' | 'unsigned-trailer';
const WORDS = {
  signed: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'signed-trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'unsigned-trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
} as const;

interface Streaming {
  readonly form?: Form;
  readonly body: Buffer;
  readonly chunkBytes?: number;
  readonly decoded?: number;
  readonly forge?: () => Chunking['forge'];
  readonly trailer?: string;
  readonly after?: (sent: Buffer) => Buffer;
  readonly framing?: (sent: Buffer) => string;
}

async function streaming(key: string, options: Streaming): Promise<Wire> {
  const { body, form = 'signed', chunkBytes = 8192, decoded = body.length, forge, after = (sent) => sent } = options;
  const trailers = form !== 'signed';
  const sha256 = createHash('sha256').update(body).digest('base64');
  const as = signing();
  const signed = await sign(
    {
      method: 'PUT',
      path: `/${BUCKET}/${key}`,
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(decoded),
        ...(trailers && { 'x-amz-trailer': 'x-amz-checksum-sha256' }),
      },
      payload: WORDS[form],
    },
    as,
  );
  const sent = after(
    chunked({
      body,
      chunkBytes,
      as,
      trailers,
      ...(form !== 'unsigned-trailer' && { seed: signed.seed }),
      ...(trailers && { trailer: options.trailer ?? `x-amz-checksum-sha256:${sha256}` }),
      ...(forge && { forge: forge() }),
    }),
  );
  const framing = options.framing?.(sent);
  return { method: 'PUT', target: signed.target, headers: signed.headers, body: sent, ...(framing && { framing }) };
}

/** Forges the nth piece of a kind, in each body anew. */
function nth(kind: string, wanted: number, change: (piece: string) => string): () => Chunking['forge'] {
  return () => {
    let seen = 0;
    return (piece, name) => (name === kind && seen++ === wanted ? change(piece) : piece);
  };
}

const otherDigit = (piece: string) =>
  piece.replace(/([0-9a-f])\r\n$/, (_, digit) => `${digit === '0' ? '1' : '0'}\r\n`);

describe.each([
  ['a small upload, gathered before the store hears of it', payload(40_000, 51)],
  ['a large upload, on its way to the store already', payload(1_000_000, 52)],
])('signed chunks of %s', (_size, body) => {
  const chunks = Math.ceil(body.length / 8192);

  it.each<Form>(['signed', 'signed-trailer', 'unsigned-trailer'])('are taken: %s', async (form) => {
    const key = `chunks/${form}`;
    expect((await answerTo(bytesOf(await streaming(key, { form, body })))).statuses).toEqual([200]);
    await expectServed(client, BUCKET, key, body);
  });

  const INCOMPLETE = [400, 'IncompleteBody'] as const;
  const INVALID = [400, 'InvalidRequest'] as const;
  it.each<readonly [string, Omit<Streaming, 'body'>, readonly [number, string]]>([
    ['a wrong signature in the first chunk', { forge: nth('header', 0, otherDigit) }, NO_MATCH],
    ['a wrong signature in the last chunk with data', { forge: nth('header', chunks - 1, otherDigit) }, NO_MATCH],
    ['a wrong signature in the empty last chunk', { forge: nth('header', chunks, otherDigit) }, NO_MATCH],
    ['a bit flipped in the first chunk’s data', { after: (sent) => withFlip(sent, 200) }, NO_MATCH],
    ['a bit flipped in the last chunk’s data', { after: (sent) => withFlip(sent, sent.length - 200) }, NO_MATCH],
    ['two chunks swapped', { after: (sent) => withSwap(sent) }, NO_MATCH],
    ['the first chunk left out', { after: (sent) => sent.subarray(sent.indexOf('\r\n') + 2 + 8192 + 2) }, NO_MATCH],
    [
      'the last chunk left out',
      { after: (sent) => sent.subarray(0, sent.lastIndexOf('0;chunk-signature')) },
      INCOMPLETE,
    ],
    ['a chunk without a signature', { forge: nth('header', 1, (piece) => piece.replace(/;.*(?=\r\n)/, '')) }, INVALID],
    [
      'a chunk that says more than it has',
      { forge: nth('header', 0, (piece) => piece.replace('2000', '2001')) },
      NO_MATCH,
    ],
    [
      'a chunk that says less than it has',
      { forge: nth('header', 0, (piece) => piece.replace('2000', '1fff')) },
      NO_MATCH,
    ],
    [
      'a size of 16 digits',
      { forge: nth('header', 0, (piece) => piece.replace('2000', 'ffffffffffffffff')) },
      INCOMPLETE,
    ],
    ['a size that is none', { forge: nth('header', 0, (piece) => piece.replace('2000', '-200')) }, INVALID],
    [
      'a bare line feed behind a chunk’s header',
      { forge: nth('header', 0, (piece) => piece.replace('\r', '')) },
      INVALID,
    ],
    ['a header without an end', { forge: nth('header', 0, () => 'a'.repeat(5000)) }, INVALID],
    ['bytes after the last chunk', { after: (sent) => Buffer.concat([sent, Buffer.from('more')]) }, INCOMPLETE],
    ['another request after the last chunk', { after: (sent) => Buffer.concat([sent, sent]) }, INVALID],
    ['fewer bytes than it declares', { decoded: body.length + 1 }, INCOMPLETE],
    ['more bytes than it declares', { decoded: body.length - 1 }, INCOMPLETE],
    ['no bytes declared at all', { decoded: 0 }, INCOMPLETE],
    [
      'a trailer’s signature that is wrong',
      { form: 'signed-trailer', forge: nth('signature', 0, otherDigit) },
      NO_MATCH,
    ],
    ['no trailer’s signature', { form: 'signed-trailer', forge: nth('signature', 0, () => '') }, INVALID],
    [
      'a trailer changed under its signature',
      { form: 'signed-trailer', forge: nth('trailer', 0, () => `x-amz-checksum-sha256:${'A'.repeat(43)}=\r\n`) },
      NO_MATCH,
    ],
    [
      'a trailer that is wrong',
      { form: 'unsigned-trailer', trailer: `x-amz-checksum-sha256:${'A'.repeat(43)}=` },
      [400, 'BadDigest'],
    ],
    [
      'a signed trailer that is wrong',
      { form: 'signed-trailer', trailer: `x-amz-checksum-sha256:${'A'.repeat(43)}=` },
      [400, 'BadDigest'],
    ],
    ['no trailer', { form: 'unsigned-trailer', forge: nth('trailer', 0, () => '') }, INVALID],
    ['a trailer of another name', { form: 'unsigned-trailer', trailer: 'x-amz-checksum-crc32:AAAAAA==' }, INVALID],
    [
      'a trailer in the form without one',
      { after: (sent) => Buffer.concat([sent.subarray(0, -2), Buffer.from('x-amz-checksum-sha256:a\r\n\r\n')]) },
      INVALID,
    ],
  ])('with %s', (_name, forged, expected) => attack((key) => streaming(key, { body, ...forged }), expected));

  it.each<readonly [string, (whole: number) => number]>([
    ['at once', () => 0],
    ['in the middle', (whole) => Math.floor(whole / 2)],
    ['a byte before the end', (whole) => whole - 1],
  ])('cut off %s, the client waiting for an answer', async (_name, place) => {
    const cut = async (key: string) => {
      const wire = await streaming(key, { body });
      const bytes = bytesOf(wire);
      return bytes.subarray(0, bytes.length - wire.body.length + place(wire.body.length));
    };
    await attack(cut, INCOMPLETE, { finish: true });
    await attack(
      async (key) => {
        const bytes = bytesOf(await honest(key, { body }));
        return bytes.subarray(0, bytes.length - body.length + place(body.length));
      },
      INCOMPLETE,
      { finish: true },
    );
  });

  it('cut off by a reset', async () => {
    const key = `free/${++count}`;
    const bytes = bytesOf(await streaming(key, { body }));
    const seen = await unfinished();
    const raw = await RawClient.open(stand.gateway.port);
    raw.send(bytes.subarray(0, -100));
    await new Promise<void>((resolve) => raw.socket.write('', () => resolve()));
    raw.socket.resetAndDestroy();
    await expect.poll(unfinished).toBe(seen + 1);
    await expectAbsent(client, BUCKET, key);
  });
});

/** Uploads whose client left: so a test knows that the gateway is done with its own. */
async function unfinished(): Promise<number> {
  const text = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
  return Number(/^sealgate_unfinished_responses_total\{by="client"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

function withFlip(sent: Buffer, at: number): Buffer {
  const copy = Buffer.from(sent);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

function withSwap(sent: Buffer): Buffer {
  const one = sent.indexOf('\r\n') + 2 + 8192 + 2;
  return Buffer.concat([sent.subarray(one, 2 * one), sent.subarray(0, one), sent.subarray(2 * one)]);
}

describe('an upload of unknown length', () => {
  it('that ends without its last chunk leaves neither an object nor an upload', async () => {
    const free = `free/${++count}`;
    const body = payload(9 * 1024 * 1024, 53);
    for (const key of [free, KEPT]) {
      const { target } = await presign({ method: 'PUT', path: `/${BUCKET}/${key}` }, 60, signing());
      const head = `PUT ${target} HTTP/1.1\r\nHost: ${signing().host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
      const { statuses, code } = await answerTo(Buffer.concat([Buffer.from(head), chunk]), { finish: true });
      expect([statuses, code]).toEqual([[400], 'IncompleteBody']);
      const uploads = await store.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: key }));
      expect(uploads.Uploads ?? []).toEqual([]);
    }
    await expectAbsent(client, BUCKET, free);
    await expectServed(client, BUCKET, KEPT, before);
  });
});

describe('a request hidden behind another', () => {
  const HIDDEN = 'hidden';
  const hidden = async () => bytesOf(await honest(HIDDEN));

  it('is served where it stands openly: its signature is valid', async () => {
    const first = await honest('open/1', {}, {});
    const second = bytesOf(await honest('open/2'));
    const open = bytesOf({ ...first, framing: `Content-Length: ${SMALL.length}\r\n` });
    expect((await answerTo(Buffer.concat([open, second]))).statuses).toEqual([200, 200]);
    await expectServed(client, BUCKET, 'open/2', SMALL);
  });

  it.each<readonly [string, string, string]>([
    ['two equal lengths', 'Content-Length: 12\r\nContent-Length: 12\r\n', 'forged bytes'],
    ['two lengths', 'Content-Length: 12\r\nContent-Length: 0\r\n', 'forged bytes'],
    ['a list of lengths', 'Content-Length: 12, 0\r\n', 'forged bytes'],
    ['length and chunked', 'Content-Length: 12\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['chunked and length', 'Transfer-Encoding: chunked\r\nContent-Length: 12\r\n', '0\r\n\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['chunked in disguise', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
    ['chunked before identity', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
    ['chunked behind a tab', 'Transfer-Encoding:\x0bchunked\r\n', '0\r\n\r\n'],
    ['a folded field', 'X-A: a\r\n Content-Length: 0\r\nContent-Length: 12\r\n', 'forged bytes'],
    ['a folded coding', 'Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'],
    ['a bare line feed', 'X-A: a\nContent-Length: 0\r\nContent-Length: 12\r\n', 'forged bytes'],
    ['a bare carriage return', 'X-A: a\rContent-Length: 0\r\nContent-Length: 12\r\n', 'forged bytes'],
    ['a blank before the colon', 'Content-Length : 12\r\n', 'forged bytes'],
    ['a line feed in a chunk’s extension', 'Transfer-Encoding: chunked\r\n', 'c;a\nb\r\nforged bytes\r\n0\r\n\r\n'],
    ['a chunk longer than it says', 'Transfer-Encoding: chunked\r\n', 'b\r\nforged bytes\r\n0\r\n\r\n'],
    ['a size past 64 bits', 'Transfer-Encoding: chunked\r\n', '1000000000000000c\r\nforged bytes\r\n0\r\n\r\n'],
  ])('by %s: 400, and the connection ends', async (_name, framing, body) => {
    const outer = `free/${++count}`;
    const wire = await honest(outer, { payload: 'UNSIGNED-PAYLOAD' });
    const bytes = Buffer.concat([bytesOf({ ...wire, body: Buffer.from(body), framing }), await hidden()]);
    expect((await answerTo(bytes)).statuses).toEqual([400]);
    await expectAbsent(client, BUCKET, outer);
    await expectAbsent(client, BUCKET, HIDDEN);
  });

  it('by a chunk’s long extension: refused, and the connection ends', async () => {
    const outer = `free/${++count}`;
    const wire = await honest(outer, { payload: 'UNSIGNED-PAYLOAD' });
    const body = Buffer.from(`c;a=${'b'.repeat(20_000)}\r\nforged bytes\r\n0\r\n\r\n`);
    const sent = bytesOf({ ...wire, body, framing: 'Transfer-Encoding: chunked\r\n' });
    expect((await answerTo(Buffer.concat([sent, await hidden()]))).statuses).toEqual([400]);
    await expectAbsent(client, BUCKET, outer);
    await expectAbsent(client, BUCKET, HIDDEN);
  });

  it.each([
    ['refused for its signature', async (key: string) => honest(key, {}, { secretAccessKey: 'wrong' })],
    ['refused for its bucket', async (_key: string) => honest('x', { path: '/other-bucket/x' })],
  ])('as the body of one %s is read as a body', async (_name, forge) => {
    const body = await hidden();
    const refused = { ...(await forge('x')), body, framing: `Content-Length: ${body.length}\r\n` };
    const next = bytesOf({ ...(await honest('after')) });
    const { statuses } = await answerTo(Buffer.concat([bytesOf(refused), next]));
    expect(statuses).toEqual([403, 200]);
    await expectAbsent(client, BUCKET, HIDDEN);
  });

  it('behind an upload whose declared length it fills is part of that body, which then fails', async () => {
    const key = `free/${++count}`;
    const body = Buffer.concat([SMALL, await hidden()]);
    const wire = { ...(await honest(key)), body };
    const { statuses, code } = await answerTo(bytesOf(wire));
    expect([statuses, code]).toEqual([[400], 'XAmzContentSHA256Mismatch']);
    await expectAbsent(client, BUCKET, key);
    await expectAbsent(client, BUCKET, HIDDEN);
  });
});

describe('a client that wears the gateway down', () => {
  it('by a head that never ends gets 408 (slowloris)', async () => {
    await using raw = await RawClient.open(stand.gateway.port);
    raw.send('PUT /acme-raw/x HTTP/1.1\r\nHost: a\r\nX-A: ');
    const drip = setInterval(() => raw.send('a'), 100);
    const { statuses } = await raw.closed().finally(() => clearInterval(drip));
    expect(statuses).toEqual([408]);
  });

  it.each([
    ['small', SMALL],
    ['large', payload(1_000_000, 54)],
  ])('by a %s body that stops gets RequestTimeout, and nothing is stored', async (_name, body) => {
    const key = `free/${++count}`;
    const bytes = bytesOf(await honest(key, { body }));
    const { statuses, code } = await answerTo(bytes.subarray(0, -5));
    expect([statuses, code]).toEqual([[400], 'RequestTimeout']);
    await expectAbsent(client, BUCKET, key);
  });

  it('by a body that trickles gets RequestTimeout', async () => {
    const key = `free/${++count}`;
    const bytes = bytesOf(await honest(key, { body: payload(5000) }));
    await using raw = await RawClient.open(stand.gateway.port);
    raw.send(bytes.subarray(0, -4000));
    const drip = setInterval(() => raw.send('a'), 50);
    const { statuses, text } = await raw.closed().finally(() => clearInterval(drip));
    expect([statuses, codeIn(text)]).toEqual([[400], 'RequestTimeout']);
    await expectAbsent(client, BUCKET, key);
  });

  it('by a head that is too large gets 431', async () => {
    const key = `free/${++count}`;
    const wire = await honest(key, { headers: { 'x-padding': 'a'.repeat(17_000) } });
    expect((await answerTo(bytesOf(wire))).statuses).toEqual([431]);
    const long = await honest(`free/${'k'.repeat(17_000)}`);
    expect((await answerTo(bytesOf(long))).statuses).toEqual([431]);
    await expectAbsent(client, BUCKET, key);
  });

  it.each([
    ['one value', { 'x-amz-meta-a': 'v'.repeat(1760) }, 'MetadataTooLarge'],
    [
      'many names',
      Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x-amz-meta-${at}`, 'v'.repeat(20)])),
      'MetadataTooLarge',
    ],
    ['the envelope’s own name', { 'x-amz-meta-sx1': 'forged' }, 'InvalidArgument'],
  ])('by metadata of %s gets 400 before a byte is stored', (_name, headers, code) =>
    attack((key) => honest(key, { headers }), [400, code]),
  );

  it('by a key that is too long gets 400', async () => {
    const { statuses, code } = await answerTo(bytesOf(await honest('k'.repeat(1025))));
    expect([statuses, code]).toEqual([[400], 'KeyTooLongError']);
  });

  it('by a document that is too large, or nested, or with entities, gets 400', async () => {
    const path = `/${BUCKET}`;
    const post = async (text: string) => {
      const body = Buffer.from(text);
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      const signed = await sign({ method: 'POST', path, query: { delete: '' }, headers, body }, signing());
      return answerTo(bytesOf({ method: 'POST', target: target(path, { delete: '' }), headers: signed.headers, body }));
    };
    const entities = `<!DOCTYPE d [<!ENTITY a "${KEPT}"><!ENTITY b SYSTEM "file:///etc/passwd">]>`;
    expect(await post(`${entities}<Delete><Object><Key>&a;</Key></Object></Delete>`)).toMatchObject({
      statuses: [400],
    });
    expect(await post('<Delete>'.repeat(5000))).toMatchObject({ statuses: [400], code: 'MalformedXML' });
    expect(await post(`<Delete>${' '.repeat(2_200_000)}</Delete>`)).toMatchObject({ statuses: [400] });
    await expectServed(client, BUCKET, KEPT, before);
  });
});

it('left in the store what was stored honestly, and nothing else', async () => {
  const expected = [
    ...['after', 'chunks/signed', 'chunks/signed-trailer', 'chunks/unsigned-trailer', 'honest', 'kept'],
    ...['open/1', 'open/2', 'presigned'],
  ];
  expect(await listedKeys(store, BUCKET)).toEqual(expected);
});
