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
  {
    tests: ['test_encryption_sse_c_other_key', 'test_encryption_sse_c_multipart_bad_download'],
    suite: '400 where an object is read with another customer key than its own',
    s3: '403 AccessDenied',
    reason: 'AWS S3 answers so, and not one byte; nobody can tell another key from an altered object',
  },
  {
    tests: [
      'test_copy_part_enc[none-sse-c]',
      'test_copy_part_enc[sse-s3-sse-c]',
      'test_copy_part_enc[sse-kms-sse-c]',
      'test_copy_part_enc[sse-c-sse-c]',
    ],
    suite: '400 where an upload under a customer key is completed without the key',
    s3: '200',
    reason: 'AWS S3 needs no key for it, and SDKs send none; the suite has dropped the demand since',
  },
  {
    tests: ['test_multipart_sse_c_get_part'],
    suite: '400 InvalidPart for a part past the end, asked for without the key',
    s3: '400 InvalidRequest',
    reason: 'that the key is missing is found out before anything of the object is known',
  },
  {
    tests: ['test_sse_kms_no_key'],
    suite: 'an error for aws:kms without the id of a key',
    s3: '200, under the bucket’s default key or the one that every account has; its name is told',
    reason: 'AWS S3 takes the AWS managed key then; the gateway takes the tenant’s own, aws/s3',
  },
  {
    tests: [
      'test_sse_kms_multipart_upload',
      'test_sse_kms_multipart_invalid_chunks_1',
      'test_sse_kms_multipart_invalid_chunks_2',
    ],
    suite: '200 for parts that repeat x-amz-server-side-encryption',
    s3: '400 InvalidArgument',
    reason: 'the method is said when an upload is begun, and AWS S3 takes it nowhere else',
  },
];
