import { clientEtag } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';

type DigestedPart = Pick<PartRecord, 'etag' | 'md5'>;

/**
 * The ETag that clients see of a part: of its own bytes in mode `md5`, from which some compute the whole object's. A part
 * that was sent before the mode was chosen has none.
 */
export function partEtag({ etag, md5 }: DigestedPart, policy: BucketPolicy): string {
  return policy.etag === 'md5' && md5 !== undefined ? md5.toString('hex') : clientEtag(etag);
}

/** All by which a client may name it: it may have been told of it before the mode was chosen. */
export function partEtags(part: DigestedPart, policy: BucketPolicy): readonly string[] {
  const shown = partEtag(part, policy);
  const opaque = clientEtag(part.etag);
  return shown === opaque ? [shown] : [shown, opaque];
}
