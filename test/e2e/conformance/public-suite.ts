/** Tests of S3's public suite (ceph/s3-tests) that ask for something else than AWS S3 answers. docs/conformance.md has them. */
export const PUBLIC_SUITE: readonly {
  readonly tests: readonly string[];
  /** What they ask for. */
  readonly suite: string;
  /** What AWS S3 and the gateway answer. */
  readonly s3: string;
  readonly reason: string;
}[] = [
  {
    tests: [
      'test_get_bucket_encryption_s3',
      'test_get_bucket_encryption_kms',
      'test_delete_bucket_encryption_s3',
      'test_delete_bucket_encryption_kms',
    ],
    suite: '404 ServerSideEncryptionConfigurationNotFoundError where no default encryption was set, or none any more',
    s3: '200 with AES256 and BucketKeyEnabled false',
    reason: 'since January 2023 AWS S3 encrypts every new object, and every bucket has a default',
  },
];
