import type { Checksum, ChecksumAlgorithm } from '../../operations/object.ts';

interface ChecksumRow {
  /** `x-amz-checksum-…`. */
  readonly header: string;
  readonly bytes: number;
}

export const CHECKSUMS: Readonly<Record<ChecksumAlgorithm, ChecksumRow>> = {
  CRC32: { header: 'x-amz-checksum-crc32', bytes: 4 },
  CRC32C: { header: 'x-amz-checksum-crc32c', bytes: 4 },
  CRC64NVME: { header: 'x-amz-checksum-crc64nvme', bytes: 8 },
  SHA1: { header: 'x-amz-checksum-sha1', bytes: 20 },
  SHA256: { header: 'x-amz-checksum-sha256', bytes: 32 },
  SHA512: { header: 'x-amz-checksum-sha512', bytes: 64 },
  MD5: { header: 'x-amz-checksum-md5', bytes: 16 },
  XXHASH64: { header: 'x-amz-checksum-xxhash64', bytes: 8 },
  XXHASH3: { header: 'x-amz-checksum-xxhash3', bytes: 8 },
  XXHASH128: { header: 'x-amz-checksum-xxhash128', bytes: 16 },
};

export const CHECKSUM_ALGORITHMS = Object.keys(CHECKSUMS) as ChecksumAlgorithm[];

/** `x-amz-checksum-…`, one an algorithm, in lower case. */
export const CHECKSUM_HEADERS: readonly string[] = CHECKSUM_ALGORITHMS.map((algorithm) => CHECKSUMS[algorithm].header);

/** Base64, and for a composite one the number of parts: `…==-3`. */
export function checksumText({ value, parts }: Checksum): string {
  return value.toString('base64') + (parts === undefined ? '' : `-${parts}`);
}

/** S3's words for what a checksum is of: the parts' checksums, or all bytes. */
export function checksumType(composite: boolean): 'COMPOSITE' | 'FULL_OBJECT' {
  return composite ? 'COMPOSITE' : 'FULL_OBJECT';
}
