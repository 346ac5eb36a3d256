import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type ServerCertificate } from '../../support/certificate.ts';
import { inPieces, payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-tls';

describe.each(ALL_STANDS)('TLS over %s', (_name, start) => {
  let certificate: ServerCertificate;
  let ca: Buffer;
  let stand: Stand;
  let client: S3Client;

  const connectWith = (agent: Agent) =>
    new S3Client({
      ...clientSettings(stand.gateway),
      endpoint: `https://127.0.0.1:${stand.gateway.port}`,
      requestHandler: { httpsAgent: agent },
      maxAttempts: 1,
    });

  beforeAll(async () => {
    certificate = await makeCertificate();
    ca = await readFile(certificate.cert);
    stand = await start({ more: { tls: { cert: certificate.cert, key: certificate.key } } });
    client = connectWith(new Agent({ ca, keepAlive: true }));
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
    await certificate?.remove();
  });

  it.each([0, 1, 65_537, 9 * MIB + 1])('round-trips %d bytes', async (bytes) => {
    const sent = payload(bytes, bytes + 4);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'object', Body: sent }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'object' }));
    expect(sha256((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(sha256(sent));
  });

  it('takes a stream, whose checksum comes in a trailer', async () => {
    const sent = payload(3 * MIB + 1, 5);
    const Body = Readable.from(inPieces(sent, 100_001));
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'stream', Body, ContentLength: sent.length }));
    const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'stream', ChecksumMode: 'ENABLED' }));
    expect(answer.ChecksumCRC32).toBeDefined();
    expect(sha256((await answer.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(sha256(sent));
  });

  it('presigns https URLs', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'stream' }));
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      get(url, { ca }, (response) => buffer(response).then(resolve, reject)).on('error', reject);
    });
    expect(sha256(bytes)).toBe(sha256(payload(3 * MIB + 1, 5)));
  });

  it('is not trusted without its CA', async () => {
    const stranger = connectWith(new Agent());
    await expect(stranger.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'stream' }))).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    stranger.destroy();
  });

  it('speaks nothing in clear', async () => {
    await expect(fetch(`http://127.0.0.1:${stand.gateway.port}/`)).rejects.toThrow();
  });

  it.each([
    ['TLSv1.1', undefined],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ] as const)('a client that speaks %s only', async (version, expected) => {
    const protocol = await new Promise<string | undefined>((resolve) => {
      const options = { port: stand.gateway.port, host: '127.0.0.1', ca, ciphers: 'DEFAULT:@SECLEVEL=0' };
      const socket = connect({ ...options, minVersion: version, maxVersion: version }, () => {
        resolve(socket.getProtocol() ?? undefined);
        socket.destroy();
      });
      socket.on('error', () => resolve(undefined));
    });
    expect(protocol).toBe(expected);
  });
});
