import type { ListObjects } from '../../../../operations/listing.ts';
import type { ByteSource } from '../../../../wire/message.ts';
import type { StreamCall } from '../../../backend-calls.ts';
import type { StoredListing } from '../../../store-exchange.ts';
import { type ListingPage, readListingPage } from '../listing-page.ts';
import { bodiless, bucketPath, optional, type Query } from '../request.ts';

/** ListObjectsV2, or ListObjects for a client that asked for that. */
export const listObjects = {
  takes: 'stream',
  render(asked) {
    const paging: Query =
      asked.form === 2
        ? [
            ['continuation-token', asked.continuationToken],
            ['delimiter', optional(asked.delimiter)],
            ['encoding-type', 'url'],
            ['fetch-owner', asked.withOwner ? 'true' : undefined],
            ['list-type', 2],
            ['max-keys', asked.maxKeys],
            ['prefix', optional(asked.prefix)],
            ['start-after', optional(asked.after)],
          ]
        : [
            ['delimiter', optional(asked.delimiter)],
            ['encoding-type', 'url'],
            ['marker', optional(asked.after)],
            ['max-keys', asked.maxKeys],
            ['prefix', optional(asked.prefix)],
          ];
    return bodiless('GET', bucketPath(asked.bucket, paging));
  },
  async read(body: ByteSource) {
    const page = await readListingPage(body, 'ListBucketResult');
    const { truncated } = page;
    return {
      entries: page.entries,
      commonPrefixes: page.commonPrefixes,
      truncated,
      nextMarker: truncated ? (page.decodedField('NextMarker') ?? lastName(page)) : undefined,
      nextContinuationToken: page.fields.get('NextContinuationToken'),
    };
  },
} satisfies StreamCall<ListObjects, StoredListing>;

/**
 * The marker of the next page where the store sends none. S3 sends NextMarker only with a delimiter, some stores never.
 */
function lastName({ entries, commonPrefixes }: ListingPage): string | undefined {
  const key = entries.at(-1)?.key;
  const prefix = commonPrefixes.at(-1);
  if (key === undefined || prefix === undefined) return key ?? prefix;
  return Buffer.compare(Buffer.from(key), Buffer.from(prefix)) > 0 ? key : prefix;
}
