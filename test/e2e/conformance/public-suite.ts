/** Tests of S3's public suite (ceph/s3-tests) that fail through the gateway for a reason. docs/conformance.md has them. */
export interface ExplainedTests {
  readonly tests: readonly string[];
  /** What they ask for. */
  readonly suite: string;
  /** What the gateway answers, and AWS S3 where they are about encryption. */
  readonly s3: string;
  readonly reason: string;
}

/** Tests of encryption: all that fail, each because AWS S3 answers otherwise than it asks for. */
export const ENCRYPTION_TESTS: readonly ExplainedTests[] = [
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
      'test_copy_part_enc[unencrypted-sse-c-STANDARD-STANDARD-8388608]',
      'test_copy_part_enc[sse-s3-sse-c-STANDARD-STANDARD-8388608]',
      'test_copy_part_enc[sse-kms-sse-c-STANDARD-STANDARD-8388608]',
      'test_copy_part_enc[sse-c-sse-c-STANDARD-STANDARD-8388608]',
    ],
    suite: '400 where an upload under a customer key is completed without the key',
    s3: '200',
    reason: 'AWS S3 needs no key for it, and SDKs send none; the suite has dropped the demand since',
  },
  {
    tests: ['test_multipart_sse_c_get_part'],
    suite: '400 InvalidPart for a part past the end, asked for without the key',
    s3: '400 InvalidRequest',
    reason:
      'that the key is missing is found out before anything of the object is known. The test does not come so far: it ' +
      'sends a part twice and completes with the ETag of the first, and under a customer key each has an ETag of its own',
  },
  {
    tests: ['test_non_multipart_sse_c_get_part'],
    suite: '400 InvalidPart for a part past the end',
    s3: '416 InvalidPartNumber',
    reason: 'AWS S3 and MinIO answer so, for objects without a customer key too',
  },
  {
    tests: [
      'test_sse_s3_default_post_object_authenticated_request',
      'test_sse_kms_default_post_object_authenticated_request',
    ],
    suite: '204 for a form that lacks a field which its policy allows any value ("starts-with", "")',
    s3: '403 AccessDenied, Policy Condition failed',
    reason: 'AWS S3 holds each condition against the form, and one on a field that is not there fails',
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

/** Tests of all else that pass straight at MinIO and fail through the gateway. */
export const OTHER_TESTS: readonly ExplainedTests[] = [
  {
    tests: ['test_object_acl_full_control_verify_attributes'],
    suite: '200 for PutObject with the header x-amz-foo',
    s3: '501 NotImplemented',
    reason:
      'what the gateway does not know could carry bytes past it or ask for protection: it is refused, not ignored',
  },
];

/** All tests that fail through the gateway for a reason that stands here. */
export const EXPLAINED_TESTS: ReadonlySet<string> = new Set(
  [...ENCRYPTION_TESTS, ...OTHER_TESTS].flatMap(({ tests }) => tests),
);
