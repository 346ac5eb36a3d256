import type { PolicyStore } from '../../encryption/bucket-policy/bucket-policies.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type {
  BucketPolicyChanged,
  BucketPolicyStatusTold,
  BucketPolicyTold,
  DeleteBucketPolicy,
  GetBucketPolicy,
  GetBucketPolicyStatus,
  PutBucketPolicy,
} from '../../operations/bucket-policy.ts';
import type { OperationContext } from '../context.ts';

/*
 * The policies that clients set for buckets. What they say of encryption the gateway holds itself
 * (encryption/bucket-policy); all else is the store's, and the store says who may read and change them.
 */

/** How long a store may take to change its part. The change is carried through when the client is gone, too. */
const STORE_MILLISECONDS = 30_000;

/** Carries out GetBucketPolicy, which tells the document as it was set. @throws GatewayError NoSuchBucketPolicy */
export async function getBucketPolicy(
  { kind: _kind, ...asked }: GetBucketPolicy,
  context: OperationContext,
): Promise<BucketPolicyTold> {
  const kept = await context.bucketPolicies.read(context.tenant, asked.bucket);
  const { buckets } = context.store;
  if (kept === undefined) return { kind: 'BucketPolicyTold', document: await buckets.policy(asked, context.signal) };
  // The store is asked whether the caller may read the policy. It may have none of its own.
  await buckets.policy(asked, context.signal).catch((error: unknown) => mustOnlyLackPolicy(error, context));
  return { kind: 'BucketPolicyTold', document: Buffer.from(kept.document) };
}

/** Carries out GetBucketPolicyStatus. What the gateway holds lets nobody in. @throws GatewayError NoSuchBucketPolicy */
export async function bucketPolicyStatus(
  { kind: _kind, ...asked }: GetBucketPolicyStatus,
  context: OperationContext,
): Promise<BucketPolicyStatusTold> {
  const kept = await context.bucketPolicies.read(context.tenant, asked.bucket);
  const status = context.store.buckets.policyStatus(asked, context.signal);
  const isPublic = await (kept === undefined ? status : status.catch((error) => mustOnlyLackPolicy(error, context)));
  return { kind: 'BucketPolicyStatusTold', isPublic: isPublic ?? false };
}

/**
 * Carries out PutBucketPolicy. It is in force for all requests from then on, on all gateways within a second.
 * @throws GatewayError AccessDenied, NoSuchBucket, OperationAborted, KeyStoreUnavailable, what the store refuses
 */
export async function putBucketPolicy(
  { kind: _kind, asked, ...about }: PutBucketPolicy,
  context: OperationContext,
): Promise<BucketPolicyChanged> {
  await context.bucketPolicies.put(context.tenant, about.bucket, asked, policyStore(about, context));
  return { kind: 'BucketPolicyChanged' };
}

/** Carries out DeleteBucketPolicy. @throws as `putBucketPolicy` */
export async function deleteBucketPolicy(
  { kind: _kind, ...about }: DeleteBucketPolicy,
  context: OperationContext,
): Promise<BucketPolicyChanged> {
  await context.bucketPolicies.remove(context.tenant, about.bucket, policyStore(about, context));
  return { kind: 'BucketPolicyChanged' };
}

function policyStore(about: Omit<DeleteBucketPolicy, 'kind'>, context: OperationContext): PolicyStore {
  const { store, signal } = context;
  return {
    async mayChange() {
      const asker = store.identity?.asker;
      if (asker === 'anonymous') throw unsigned();
      await (asker === 'caller'
        ? store.buckets.checkPolicyRight(about, signal)
        : store.buckets.head(about.bucket, signal));
    },
    async change(document) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(tooLate()), STORE_MILLISECONDS);
      try {
        await store.buckets.changePolicy(about, document, late.signal);
      } catch (error) {
        if (document !== undefined) throw error;
        mustOnlyLackPolicy(error, context);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/**
 * Passes over a refusal which says that the store has no policy of the bucket, or no policies at all. A stranger is
 * refused all the same, because such a refusal says nothing of rights.
 */
function mustOnlyLackPolicy(error: unknown, { store }: Pick<OperationContext, 'store'>): undefined {
  const lacks = error instanceof GatewayError && LACKING.has(error.code);
  if (!lacks) throw error;
  if (store.identity?.asker === 'anonymous') throw unsigned();
}

const LACKING: ReadonlySet<string> = new Set(['NoSuchBucketPolicy', 'NotImplemented', 'MethodNotAllowed']);

function unsigned(): GatewayError {
  return clientError(
    'AccessDenied',
    'Access Denied: the policy of this bucket is told, and taken, in signed requests.',
  );
}

function tooLate(): GatewayError {
  return new GatewayError('BackendUnavailable', 'The backend did not answer in time. Try again shortly.', {
    source: 'backend',
  });
}
