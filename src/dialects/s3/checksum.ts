import type { Checksum, ChecksumAlgorithm } from '../../operations/object.ts';

interface ChecksumRow {
  /** The header that has the checksum, in lower case. */
  readonly header: string;
  /** The size of a value, before base64. */
  readonly bytes: number;
}

/** The checksum algorithms of the S3 API (API reference, PutObject). */
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

/** The headers of all algorithms, in lower case. */
export const CHECKSUM_HEADERS: readonly string[] = CHECKSUM_ALGORITHMS.map((algorithm) => CHECKSUMS[algorithm].header);

/** Writes a checksum as S3 does: base64, followed by the number of parts if it is composite (`…==-3`). */
export function checksumText({ value, parts }: Checksum): string {
  return value.toString('base64') + (parts === undefined ? '' : `-${parts}`);
}

/** S3's words for a checksum of the parts' checksums (composite) and for one of all bytes. */
export function checksumType(composite: boolean): 'COMPOSITE' | 'FULL_OBJECT' {
  return composite ? 'COMPOSITE' : 'FULL_OBJECT';
}
