import { checkPolicyAllowsDefault, isKeptInClear, noEncryption } from '../../encryption/policy.ts';
import { GatewayError } from '../../errors.ts';
import type {
  BucketEncryptionReset,
  BucketEncryptionSet,
  BucketEncryptionTold,
  DeleteBucketEncryption,
  GetBucketEncryption,
  PutBucketEncryption,
} from '../../operations/bucket-encryption.ts';
import type { OperationContext } from '../context.ts';

/*
 * How new objects of a bucket are encrypted where a request does not say it. The gateway keeps it itself
 * (encryption/bucket-default.ts); the store is asked only whether it has the bucket, and lets the caller do this.
 */

/**
 * Carries out GetBucketEncryption. A bucket for which nothing was set is told as encrypted with managed keys, as S3
 * tells it since 2023.
 * @throws GatewayError NoSuchBucket; NoBucketEncryption for a bucket whose objects are kept as they were sent
 */
export async function getBucketEncryption(
  { bucket }: GetBucketEncryption,
  context: OperationContext,
): Promise<BucketEncryptionTold> {
  await mustBeOpen(bucket, 'read', context);
  if (isKeptInClear(context.formats.write)) throw noEncryption(context.policy);
  const rule = await context.bucketDefaults.read(context.tenant, bucket);
  const given = context.store.encrypter?.toldOfNew;
  const told = given?.kind === 'kms' && rule.form !== 'kms' ? { ...rule, form: given.kind, keyId: given.keyId } : rule;
  return { kind: 'BucketEncryptionTold', rule: told };
}

/**
 * Carries out PutBucketEncryption. It holds for objects and uploads that are begun from then on, on all gateways within
 * a second. What lies in the bucket stays as it is.
 * @throws GatewayError NoSuchBucket; NotImplemented for a bucket whose objects are kept as they were sent, and for a
 *   form for which there are no keys; what finding the key throws
 */
export async function putBucketEncryption(
  { bucket, asked }: PutBucketEncryption,
  context: OperationContext,
): Promise<BucketEncryptionSet> {
  const { bucketDefaults, formats, keySources, policy, tenant } = context;
  await mustBeOpen(bucket, 'change', context);
  checkPolicyAllowsDefault(policy, asked.method?.form, formats.write);
  if (asked.method?.form === 'kms') {
    const kms = { kind: 'kms', keyId: asked.method.keyId, context: undefined } as const;
    const encrypter = formats.write.encrypter?.(context, kms);
    await (encrypter?.forNew({ bucket, key: '' }) ?? keySources.open({ tenant, policy, asked: kms }).forNew());
  }
  await bucketDefaults.set(tenant, bucket, asked);
  return { kind: 'BucketEncryptionSet' };
}

/** Carries out DeleteBucketEncryption. @throws GatewayError NoSuchBucket */
export async function deleteBucketEncryption(
  { bucket }: DeleteBucketEncryption,
  context: OperationContext,
): Promise<BucketEncryptionReset> {
  await mustBeOpen(bucket, 'change', context);
  await context.bucketDefaults.reset(context.tenant, bucket);
  return { kind: 'BucketEncryptionReset' };
}

/**
 * Checks that the store has a bucket, and that it lets the caller read or change how the bucket is encrypted. A caller
 * who asks the store with the gateway's own rights may, as with every other setting of a bucket.
 * @throws GatewayError NoSuchBucket, AccessDenied
 */
async function mustBeOpen(bucket: string, asks: 'read' | 'change', { store, signal }: OperationContext): Promise<void> {
  if (store.identity?.asker === 'caller') await store.buckets.checkEncryptionRight(bucket, asks, signal);
  else await store.buckets.head(bucket, signal);
}

/**
 * Whether the store tells the gateway that it has a bucket. The caller may have the right to make buckets and not to
 * see them, so the gateway asks with its own. undefined where the store denies that: it does so to whoever may not see
 * a bucket, whether it has one or not.
 * @throws GatewayError BackendUnavailable …
 */
export async function bucketExists(bucket: string, { store, signal }: OperationContext): Promise<boolean | undefined> {
  try {
    await store.asGateway().buckets.head(bucket, signal);
    return true;
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : undefined;
    if (code === 'NoSuchBucket') return false;
    if (code === 'AccessDenied') return undefined;
    throw error;
  }
}
