import { clientEtag } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';

type DigestedPart = Pick<PartRecord, 'etag' | 'md5'>;

/**
 * The ETag of a part that clients see. Where the policy says `md5` it is the MD5 of the part's plaintext, because some
 * clients compute the object's ETag from those. A part that was sent before the policy said so keeps its opaque ETag.
 */
export function partEtag({ etag, md5 }: DigestedPart, policy: BucketPolicy): string {
  return policy.etag === 'md5' && md5 !== undefined ? md5.toString('hex') : clientEtag(etag);
}

/** All ETags by which a client may name a part: it may have been told the opaque one before the policy said `md5`. */
export function partEtags(part: DigestedPart, policy: BucketPolicy): readonly string[] {
  const shown = partEtag(part, policy);
  const opaque = clientEtag(part.etag);
  return shown === opaque ? [shown] : [shown, opaque];
}
