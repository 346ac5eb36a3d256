import type { ListObjectVersions } from '../../../../operations/listing.ts';
import type { ByteSource } from '../../../../wire/message.ts';
import type { StreamCall } from '../../../backend-calls.ts';
import type { StoredVersionListing } from '../../../store-exchange.ts';
import { readListingPage } from '../listing-page.ts';
import { bodiless, bucketPath, optional } from '../request.ts';

/** ListObjectVersions. */
export const listVersions = {
  takes: 'stream',
  render: (asked) =>
    bodiless(
      'GET',
      bucketPath(asked.bucket, [
        ['delimiter', optional(asked.delimiter)],
        ['encoding-type', 'url'],
        ['key-marker', optional(asked.keyMarker)],
        ['max-keys', asked.maxKeys],
        ['prefix', optional(asked.prefix)],
        ['version-id-marker', optional(asked.versionIdMarker)],
        ['versions', ''],
      ]),
    ),
  async read(body: ByteSource) {
    const page = await readListingPage(body, 'ListVersionsResult');
    return {
      entries: page.entries,
      commonPrefixes: page.commonPrefixes,
      truncated: page.truncated,
      nextKeyMarker: page.decodedField('NextKeyMarker'),
      nextVersionIdMarker: page.fields.get('NextVersionIdMarker') || undefined,
    };
  },
} satisfies StreamCall<ListObjectVersions, StoredVersionListing>;
