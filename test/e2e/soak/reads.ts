import { GetObjectCommand, ListObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { contentOf } from '../../support/expected-objects.ts';
import { read } from '../../support/sight.ts';
import type { Lane } from './lane.ts';

export async function get(lane: Lane): Promise<void> {
  await lane.look(lane.anyKey());
}

export async function getRange(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const Key = lane.writableKey();
  const whole = await lane.look(Key);
  if (whole === undefined || whole.length === 0) return;
  const first = Math.floor(lane.random() * whole.length);
  const last = first + Math.floor(lane.random() * (whole.length - first));
  const form = lane.random();
  const [Range, from, to] =
    form < 0.3
      ? [`bytes=${first}-`, first, whole.length]
      : form < 0.5
        ? [`bytes=-${whole.length - first}`, first, whole.length]
        : [`bytes=${first}-${last}`, first, last + 1];
  const part = await read(lane.s3, { Bucket, Key, Range });
  // While it is in doubt which of two writes came last, they may change places between two reads.
  const settled = lane.record.expected.describe(Key).split(' or ').length === 1;
  if (settled && !part.equals(whole.subarray(from, to))) lane.record.wrong.push(`${Key} gave other bytes for ${Range}`);
}

/** The client goes away within the answer: what it got by then must be right, and nothing may be held for it. */
export async function getHalf(lane: Lane): Promise<void> {
  const { bucket: Bucket } = lane;
  const Key = lane.writableKey();
  const answer = await lane.s3.send(new GetObjectCommand({ Bucket, Key })).catch((error: { name: string }) => {
    if (error.name !== 'NoSuchKey') throw error;
    return undefined;
  });
  const reader = answer?.Body?.transformToWebStream().getReader();
  await reader?.read();
  await reader?.cancel();
}

export async function getQingstor(lane: Lane): Promise<void> {
  const key = lane.writableKey();
  const { expected, wrong } = lane.record;
  const found = await lane.door.qingstor
    .Bucket(lane.bucket)
    .getObject(key)
    .then(
      ({ data }) => data as Buffer,
      (error: { response?: { status: number } }) => {
        if (error.response?.status !== 404) throw error;
        return undefined;
      },
    );
  if (!expected.allows(key, found && contentOf(found))) wrong.push(`${key} by QingStor: ${found?.length} bytes`);
}

/** Every key that must be there, in the size that it must have. */
export async function list(lane: Lane): Promise<void> {
  const { expected, wrong } = lane.record;
  const asked = { Bucket: lane.bucket, Prefix: lane.prefix };
  const old = lane.random() < 0.3;
  const { Contents = [] } = old
    ? await lane.s3.send(new ListObjectsCommand(asked))
    : await lane.s3.send(new ListObjectsV2Command(asked));
  const sizes = new Map(Contents.map(({ Key = '', Size }) => [Key, Size]));
  for (const key of new Set([...sizes.keys(), ...expected.keys.filter((key) => key.startsWith(lane.prefix))])) {
    const size = sizes.get(key);
    if (!expected.allowsBytes(key, size)) {
      wrong.push(`a listing showed ${key} of ${size ?? 'no'} bytes instead of ${expected.describe(key)}`);
    }
  }
}
