import type { BucketFound, BucketListing, Owner } from '../../../operations/bucket-answers.ts';
import type { RenderContext } from '../../front-dialect.ts';
import { bucketPage } from '../requests/paging.ts';

/** The answer to ListBuckets: one page of them. */
export function bucketsDocument(answer: BucketListing, context: RenderContext): object {
  const { first, end } =
    context.request === undefined ? { first: 0, end: undefined } : bucketPage(context.request.query);
  const page = answer.buckets.slice(first, end);
  return {
    count: page.length,
    buckets: page.map(({ name, created }) => ({
      name,
      location: context.settings.region,
      url: '',
      created: created.toISOString(),
    })),
  };
}

/**
 * The answer to GetBucketStatistics. rclone needs `status` and `count`: it removes a bucket only where it is told that
 * nothing is in it.
 */
export function statisticsDocument({ bucket, region, created, contents }: BucketFound, context: RenderContext): object {
  const host = context.request?.headers.get('host');
  const scheme = context.request?.client.secure === true ? 'https' : 'http';
  return {
    name: bucket,
    location: region,
    url: host === undefined ? '' : `${scheme}://${host}/${bucket}`,
    created: (created ?? new Date(0)).toISOString(),
    count: contents?.objects ?? 0,
    size: contents?.bytes ?? 0,
    status: 'active',
  };
}

/** The answer to GetBucketACL: the owner may do everything, as far as the gateway's policies go. */
export function aclDocument({ owner }: BucketFound): object {
  const grantee = { type: 'user', ...ownerFields(owner) };
  return { owner: ownerFields(owner), acl: [{ grantee, permission: 'FULL_CONTROL' }] };
}

export function ownerFields({ id, displayName }: Owner): object {
  return { id, name: displayName };
}
