import { Agent, request } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { signRequest } from './signed-requests.ts';
import type { Target } from './targets.ts';

const MIB = 1024 * 1024;
const PARTS_IN_FLIGHT = 4;

/** Every part has the same bytes, so that a range at any place can be checked without holding the object. */
export const PART_BYTES = 16 * MIB;
const RANGE_BYTES = MIB;

export interface LongObject {
  readonly key: string;
  readonly partCount: number;
  /** PART_BYTES of it. */
  readonly part: Buffer;
}

/** Writes it as a multipart upload. */
export async function writeLongObject(target: Target, object: LongObject): Promise<void> {
  const client = new S3Client({
    endpoint: target.endpoint.origin,
    region: target.credentials.region,
    forcePathStyle: true,
    credentials: target.credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const at = { Bucket: target.bucket, Key: object.key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  let next = 1;
  const lane = async () => {
    while (next <= object.partCount) {
      const PartNumber = next++;
      const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body: object.part }));
      Parts.push({ PartNumber, ETag });
    }
  };
  await Promise.all(Array.from({ length: PARTS_IN_FLIGHT }, lane));
  Parts.sort((a, b) => a.PartNumber - b.PartNumber);
  await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
  client.destroy();
}

/** Seconds of each of `times` reads of 1 MiB at random places, in `lanes` at once. Throws on a wrong byte. */
export async function readRandomRanges(
  target: Target,
  object: LongObject,
  { times, lanes }: { readonly times: number; readonly lanes: number },
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const url = new URL(`/${target.bucket}/${object.key}`, target.endpoint);
  const twice = Buffer.concat([object.part, object.part.subarray(0, RANGE_BYTES)]);
  const { headers } = await signRequest('GET', url, target.credentials);
  const seconds: number[] = [];
  let left = times;
  const lane = async () => {
    while (left-- > 0) {
      const first = Math.floor(Math.random() * (object.partCount * PART_BYTES - RANGE_BYTES));
      const started = performance.now();
      const range = `bytes=${first}-${first + RANGE_BYTES - 1}`;
      const bytes = await get(url, { ...headers, range }, agent);
      seconds.push((performance.now() - started) / 1000);
      const wanted = twice.subarray(first % PART_BYTES, (first % PART_BYTES) + RANGE_BYTES);
      if (!bytes.equals(wanted)) throw new Error(`${target.name} gave other bytes at ${first}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  agent.destroy();
  return seconds;
}

function get(url: URL, headers: Record<string, string>, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const whole = Buffer.concat(chunks);
        if (answer.statusCode === 206) resolve(whole);
        else reject(new Error(`GET ${url.href}: ${answer.statusCode} ${whole.toString().slice(0, 300)}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}
