import type { MetadataEntry } from '../../../operations/object.ts';
import type { BackendLimits } from '../../backend-limits.ts';
import { encodeMetadataValue } from '../encoded-word.ts';
import { S3_VOCABULARY } from '../vocabulary.ts';

const META_PREFIX = S3_VOCABULARY.metadataPrefix;

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/**
 * The limits of S3-compatible stores. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits" and "Working
 * with object metadata". MinIO accepts larger objects in one request, but the limits of Amazon S3 hold for all stores
 * here.
 */
export const S3_LIMITS: BackendLimits = {
  smallestPartBytes: 5 * MIB,
  largestPartBytes: 5 * GIB,
  lastPartNumber: 10_000,
  largestPutBytes: 5 * GIB,
  // S3 would copy up to 5 GiB in one request.
  largestCopyBytes: 1 * GIB,
  // A store copies a part of this size within seconds.
  copyPartBytes: 256 * MIB,
  deletionsAtOnce: 1_000,
  entriesAPage: 1_000,
  userMetadata: { bytes: 2_048, count: metadataBytes },
};

/** Counts as MinIO and Ceph RGW do: the header's whole name with its prefix, and the value. Amazon S3 counts less. */
function metadataBytes(entries: readonly MetadataEntry[]): number {
  let bytes = 0;
  for (const [name, value] of entries) bytes += META_PREFIX.length + name.length + encodeMetadataValue(value).length;
  return bytes;
}
