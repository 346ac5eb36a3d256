import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { type Lane, metadataFor } from './lane.ts';

const MIB = 1024 * 1024;

/** A part, by its number, and how it comes. */
interface Part {
  readonly number: number;
  readonly body: Buffer;
  /** Copied from a key, or a range of it. */
  readonly from?: { readonly key: string; readonly range?: string };
}

/** Parts in parallel and in any order, to both gateways, some of them sent twice with other bytes first. */
export async function multipart(lane: Lane): Promise<void> {
  const bodies = [lane.body(5 * MIB, 5 * MIB + 70_000), lane.body(0, MIB)];
  if (lane.random() < 0.3) bodies.unshift(lane.body(5 * MIB, 6 * MIB));
  if (lane.random() < 0.2) bodies.splice(0, bodies.length - 1); // one small part is an object too
  const step = 1 + Math.floor(lane.random() * 3);
  await upload(
    lane,
    lane.writableKey(),
    bodies.map((body, at) => ({ number: 1 + at * step, body })),
  );
}

export async function multipartOfCopies(lane: Lane): Promise<void> {
  const [from, to] = [lane.writableKey(), lane.writableKey()];
  const source = await lane.look(from);
  if (source === undefined || source.length === 0 || from === to) return;
  const first = Math.floor(lane.random() * source.length);
  const last = first + Math.floor(lane.random() * (source.length - first));
  const part = { from: { key: from, range: `bytes=${first}-${last}` }, body: source.subarray(first, last + 1) };
  const whole = { from: { key: from }, body: source };
  await upload(lane, to, [
    { number: 1, body: lane.body(5 * MIB, 5 * MIB + 1_000) },
    { number: 2, ...(lane.random() < 0.5 ? part : whole) },
  ]);
}

async function upload(lane: Lane, key: string, parts: readonly Part[]): Promise<void> {
  const { record, outages, bucket: Bucket } = lane;
  const epoch = outages.epoch;
  const bodies = parts.map(({ body }) => body);
  const whole = Buffer.concat(bodies);
  record.etags.expect(whole, bodies);
  const begin = new CreateMultipartUploadCommand({ Bucket, Key: key, Metadata: metadataFor(whole) });
  const { UploadId = '' } = await lane.s3.send(begin);
  const shuffled = parts.toSorted((one, other) => other.body.length - one.body.length);
  const sent = await Promise.allSettled(shuffled.map((part) => sendPart(lane, { key, uploadId: UploadId }, part)));
  const Parts: CompletedPart[] = [];
  for (const each of sent) {
    if (each.status === 'rejected') throw each.reason;
    Parts.push(each.value);
  }
  Parts.sort((one, other) => (one.PartNumber ?? 0) - (other.PartNumber ?? 0));
  await expectListed(lane, { key, uploadId: UploadId }, parts);
  const complete = () => new CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload: { Parts } });
  await lane.write(key, whole, () => lane.s3.send(complete()));
  // Whoever did not hear the answer asks again, here of either gateway.
  if (lane.random() < 0.2) await lane.write(key, whole, () => lane.s3.send(complete()));
  if (outages.epoch === epoch && epoch % 2 === 0) record.clean.push({ bucket: Bucket, key, uploadId: UploadId });
}

interface Under {
  readonly key: string;
  readonly uploadId: string;
}

async function sendPart(lane: Lane, { key, uploadId }: Under, part: Part): Promise<CompletedPart> {
  const { bucket: Bucket } = lane;
  const at = { Bucket, Key: key, UploadId: uploadId, PartNumber: part.number };
  if (part.from !== undefined) {
    const CopySourceRange = part.from.range;
    const CopySource = `${Bucket}/${part.from.key}`;
    const { CopyPartResult } = await lane.s3.send(new UploadPartCopyCommand({ ...at, CopySource, CopySourceRange }));
    return { PartNumber: part.number, ETag: CopyPartResult?.ETag };
  }
  if (lane.random() < 0.15) await lane.s3.send(new UploadPartCommand({ ...at, Body: lane.body(0, 100_000) }));
  const { ETag } = await lane.s3.send(new UploadPartCommand({ ...at, Body: part.body }));
  return { PartNumber: part.number, ETag };
}

async function expectListed(lane: Lane, { key, uploadId }: Under, parts: readonly Part[]): Promise<void> {
  const listed = await lane.s3.send(new ListPartsCommand({ Bucket: lane.bucket, Key: key, UploadId: uploadId }));
  const seen = (listed.Parts ?? []).map(({ PartNumber, Size }) => `${PartNumber}:${Size}`).join();
  const sent = parts.map(({ number, body }) => `${number}:${body.length}`).join();
  if (seen !== sent) lane.record.wrong.push(`ListParts of ${key} showed ${seen} instead of ${sent}`);
}

export async function abort(lane: Lane): Promise<void> {
  const { outages, record, bucket: Bucket } = lane;
  const epoch = outages.epoch;
  const Key = lane.anyKey();
  const { UploadId = '' } = await lane.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const at = { Bucket, Key, UploadId };
  await lane.s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: lane.body(100, 100) }));
  await lane.s3.send(new AbortMultipartUploadCommand(at));
  if (outages.epoch === epoch && epoch % 2 === 0) record.clean.push({ bucket: Bucket, key: Key, uploadId: UploadId });
}
