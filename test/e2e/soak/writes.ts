import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { inPieces } from '../../support/payload.ts';
import { type Lane, metadataFor } from './lane.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What an SDK would throw for it. */
export class AnswerError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(status: number, text: string) {
    super(text.slice(0, 500));
    this.$metadata = { httpStatusCode: status };
  }
}

export async function put(lane: Lane): Promise<void> {
  const { random, s3, bucket: Bucket } = lane;
  const [Key, Body] = [lane.writableKey(), random() < 0.1 ? lane.body(MIB, 6 * MIB) : lane.body(0, 200 * KIB)];
  const Metadata = metadataFor(Body);
  lane.record.etags.expect(Body);
  await lane.write(Key, Body, () => s3.send(new PutObjectCommand({ Bucket, Key, Body, Metadata })));
}

/** Chunked, its length not declared; some are large enough to become an upload of the gateway's own. */
export async function putStream(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const [Key, body] = [lane.writableKey(), lane.random() < 0.3 ? lane.body(8 * MIB, 12 * MIB) : lane.body(0, 300_000)];
  lane.record.etags.expect(body);
  const url = await getSignedUrl(lane.s3, new PutObjectCommand({ Bucket, Key }));
  await lane.write(Key, body, async () => {
    const stream = Readable.toWeb(Readable.from(inPieces(body, 99_999))) as ReadableStream;
    const answer = await fetch(url, { method: 'PUT', body: stream, duplex: 'half' } as RequestInit);
    await demand(answer, 200);
  });
}

export async function putForm(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const [Key, body] = [lane.writableKey(), lane.body(0, MIB)];
  lane.record.etags.expect(body);
  const form = await createPresignedPost(lane.s3, { Bucket, Key });
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append('file', new File([new Uint8Array(body)], 'file'));
  await lane.write(Key, body, async () => demand(await fetch(form.url, { method: 'POST', body: data }), 204));
}

async function demand(answer: Response, status: number): Promise<void> {
  const text = await answer.text();
  if (answer.status !== status) throw new AnswerError(answer.status, text);
}

export async function putQingstor(lane: Lane): Promise<void> {
  const [key, body] = [lane.writableKey(), lane.body(1, 300 * KIB)];
  lane.record.etags.expect(body);
  await lane.write(key, body, () => lane.door.qingstor.Bucket(lane.bucket).putObject(key, { body }));
}

/** Only where nothing lies: 412 and success must both tell the truth. */
export async function putFirst(lane: Lane): Promise<void> {
  const { s3, record, bucket: Bucket } = lane;
  const [Key, Body] = [lane.writableKey(), lane.body(0, 50 * KIB)];
  record.etags.expect(Body);
  const { present, absent } = record.expected.mayBe(Key);
  let refused = false;
  await lane
    .write(Key, Body, () => s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' })))
    .catch((error: { name: string }) => {
      if (error.name !== 'PreconditionFailed') throw error;
      refused = true;
    });
  if (refused ? !present : !absent) {
    record.wrong.push(
      `If-None-Match: * on ${Key} was ${refused ? 'refused' : 'taken'}: ${record.expected.describe(Key)}`,
    );
  }
}

/** Over what lies there, by its ETag: whoever writes alone is never refused. */
export async function putOver(lane: Lane): Promise<void> {
  const { s3, bucket: Bucket, record } = lane;
  const [Key, Body] = [lane.writableKey(), lane.body(0, 50 * KIB)];
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
  const IfMatch = Contents.find((entry) => entry.Key === Key)?.ETag;
  if (IfMatch === undefined) return;
  record.etags.expect(Body);
  try {
    await lane.write(Key, Body, () => s3.send(new PutObjectCommand({ Bucket, Key, Body, IfMatch })));
  } catch (error) {
    if ((error as Error).name !== 'PreconditionFailed') throw error;
    record.wrong.push(`If-Match: ${IfMatch} on ${Key}, which nobody else writes, was refused`);
  }
}

/** The client goes away before its body's end: nothing may come of it, so nothing is attempted. */
export async function putHalf(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const [Key, body] = [lane.writableKey(), lane.body(2, MIB)];
  const url = new URL(await getSignedUrl(lane.s3, new PutObjectCommand({ Bucket, Key })));
  const sending = request(url, { method: 'PUT', headers: { 'content-length': body.length } });
  sending.on('error', () => undefined);
  const closed = new Promise((resolve) => sending.once('close', resolve));
  sending.write(body.subarray(0, Math.floor(lane.random() * body.length)));
  await delay(20 + lane.random() * 100);
  sending.destroy();
  await closed;
  await lane.look(Key);
}

export async function remove(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const [Key, { s3 }] = [lane.writableKey(), lane];
  await lane.write(Key, undefined, () => s3.send(new DeleteObjectCommand({ Bucket, Key })));
}

export async function removeMany(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const keys = [...new Set([lane.writableKey(), lane.writableKey(), lane.writableKey()])];
  const Delete = { Objects: keys.map((Key) => ({ Key })) };
  const send = lane.s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
  await Promise.all(
    keys.map((key) =>
      lane.write(key, undefined, async () => {
        const failed = (await send).Errors?.find((error) => error.Key === key);
        if (failed !== undefined) throw new AnswerError(503, `${failed.Code}`);
      }),
    ),
  );
}

export async function copy(lane: Lane): Promise<void> {
  const [from, to, { s3 }] = [lane.writableKey(), lane.writableKey(), lane];
  const body = await lane.look(from, s3);
  if (body === undefined || from === to) return;
  await lane.write(to, body, () => copyObject(s3, lane.bucket, from, to));
}

function copyObject(s3: S3Client, Bucket: string, from: string, to: string): Promise<unknown> {
  return s3.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` }));
}
