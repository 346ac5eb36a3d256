import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';

/** An object as it lies in the store, for whoever holds the store's own credentials (FORMAT.md §1). */
export interface StoredBytes {
  readonly body: Buffer;
  readonly metadata: Record<string, string>;
  readonly content: Pick<PutObjectCommandInput, 'ContentType' | 'CacheControl'>;
}

/** @param store a client of the store itself, past the gateway */
export async function storedObject(store: S3Client, Bucket: string, Key: string): Promise<StoredBytes> {
  const answer = await store.send(new GetObjectCommand({ Bucket, Key }));
  return {
    body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []),
    metadata: answer.Metadata ?? {},
    content: { ContentType: answer.ContentType, CacheControl: answer.CacheControl },
  };
}

export async function plantObject(
  store: S3Client,
  Bucket: string,
  Key: string,
  { body, metadata, content }: StoredBytes,
): Promise<void> {
  await store.send(new PutObjectCommand({ Bucket, Key, Body: body, Metadata: metadata, ...content }));
}

export const withBody = (stored: StoredBytes, body: Buffer): StoredBytes => ({ ...stored, body });

/** One bit; from the end where `at` is negative. */
export function flipped(stored: StoredBytes, at: number): StoredBytes {
  const body = Buffer.from(stored.body);
  const place = at < 0 ? body.length + at : at;
  body[place] = (body[place] as number) ^ 0x04;
  return withBody(stored, body);
}
