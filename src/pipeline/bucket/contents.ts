import type { BucketFound } from '../../operations/bucket-answers.ts';
import { allKeysOf } from '../../operations/listing.ts';
import type { OperationContext } from '../context.ts';
import { listObjects } from './list.ts';

const PAGE_KEYS = 1000;
/** How many pages are counted, so that one request for the statistics of a bucket costs no more than so many others. */
const MOST_PAGES = 100;

/** Counts the objects of a bucket and their plaintext bytes, up to 100,000 objects. */
export async function contentsOf(
  bucket: string,
  context: OperationContext,
): Promise<NonNullable<BucketFound['contents']>> {
  let objects = 0;
  let bytes = 0;
  let after = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    const listing = await listObjects(allKeysOf(bucket, { form: 1, maxKeys: PAGE_KEYS, after }), context);
    objects += listing.objects.length;
    for (const { plaintextBytes } of listing.objects) bytes += plaintextBytes;
    const { truncated, nextMarker } = listing;
    listing.release();
    if (!truncated || nextMarker === undefined) break;
    after = nextMarker;
  }
  return { objects, bytes };
}
