import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { contentOf } from '../../support/expected-objects.ts';
import { ExpectedVersions, type Lane, metadataFor, readObject, type SoakRecord } from './lane.ts';
import { VERSIONED as Bucket } from './stand.ts';

const { nameOf } = ExpectedVersions;

export async function makeVersioned(s3: S3Client): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
}

/** A few keys, so that each has many versions. */
const keyOf = (lane: Lane): string => `${lane.prefix}${Math.floor(lane.random() * 3)}`;

export async function putVersion(lane: Lane): Promise<void> {
  const [Key, Body] = [keyOf(lane), lane.body(0, 100_000)];
  const { versions } = lane.record;
  const content = contentOf(Body);
  versions.attempted.add(nameOf(Key, content.sha256));
  const put = new PutObjectCommand({ Bucket, Key, Body, Metadata: metadataFor(Body) });
  const { VersionId } = await lane.s3.send(put);
  versions.acknowledged.set(nameOf(Key, VersionId), content);
}

/** A delete marker hides the object; versions stay. */
export async function hideVersions(lane: Lane): Promise<void> {
  await lane.s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(lane) }));
}

export async function removeVersion(lane: Lane): Promise<void> {
  const { versions } = lane.record;
  const mine = [...versions.acknowledged].filter(([, content]) => content !== undefined).map(([name]) => name);
  const own = mine.filter((name) => name.includes(lane.prefix));
  const name = own[Math.floor(lane.random() * own.length)];
  if (name === undefined) return;
  const [Key, VersionId] = JSON.parse(name) as [string, string];
  versions.doubtfullyDeleted.add(name);
  await lane.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  versions.acknowledged.set(name, undefined);
}

/** Every version that is listed is one that was sent; every acknowledged one is listed, and reads as it was sent. */
export async function judgeVersions(s3: S3Client, store: S3Client, record: SoakRecord): Promise<number> {
  const { versions, wrong } = record;
  const listed = await listVersions(s3);
  for (const [name, bytes] of listed) {
    const [Key, VersionId] = JSON.parse(name) as [string, string];
    const found = await readObject(s3, { Bucket, Key, VersionId });
    if (found === undefined && versions.doubtfullyDeleted.has(name) && (await isHalfDeleted(store, name))) {
      record.halfDeleted.push(name);
      continue;
    }
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
    const content = found && contentOf(found.body);
    if (content?.bytes !== bytes || head.ContentLength !== bytes) wrong.push(`version ${name} is listed as ${bytes}`);
    if (found?.mixed === true) wrong.push(`version ${name} has the metadata of another body`);
    if (!versions.attempted.has(nameOf(Key, content?.sha256))) wrong.push(`version ${name} was never sent`);
    const known = versions.acknowledged.has(name);
    if (known && versions.acknowledged.get(name)?.sha256 !== content?.sha256) wrong.push(`version ${name} is another`);
  }
  for (const [name, content] of versions.acknowledged) {
    if (content === undefined || versions.doubtfullyDeleted.has(name) || listed.has(name)) continue;
    wrong.push(`version ${name} is gone`);
  }
  return listed.size;
}

/**
 * Killed while it deletes a version, MinIO may have removed its bytes and not its description: asked directly, it lists
 * the version and answers HEAD, and says of a GET that there is none.
 */
async function isHalfDeleted(store: S3Client, name: string): Promise<boolean> {
  const [Key, VersionId] = JSON.parse(name) as [string, string];
  await store.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
  return (await readObject(store, { Bucket, Key, VersionId })) === undefined;
}

async function listVersions(s3: S3Client): Promise<Map<string, number>> {
  const listed = new Map<string, number>();
  let [KeyMarker, VersionIdMarker] = [undefined, undefined] as [string | undefined, string | undefined];
  do {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, KeyMarker, VersionIdMarker }));
    for (const { Key = '', VersionId, Size = -1 } of page.Versions ?? []) listed.set(nameOf(Key, VersionId), Size);
    [KeyMarker, VersionIdMarker] = [page.NextKeyMarker, page.NextVersionIdMarker];
  } while (KeyMarker !== undefined);
  return listed;
}
