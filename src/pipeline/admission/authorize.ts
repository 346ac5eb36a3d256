import type { ToldOfObjects } from '../../dialects/front-dialect.ts';
import { clientError } from '../../errors.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { CopySource } from '../../operations/operation.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { OperationContext, OperationTools } from '../context.ts';
import { holdUse } from './hold-rules.ts';
import { reachableDecision } from './reachable.ts';

/** The policies of buckets as they are for requests of a dialect whose clients take ETags for MD5s. */
const withMd5Etags = new WeakMap<BucketPolicy, BucketPolicy>();

function policyIn(dialect: ToldOfObjects | undefined, policy: BucketPolicy): BucketPolicy {
  if (dialect?.etags !== 'md5' || policy.etag === 'md5') return policy;
  let shown = withMd5Etags.get(policy);
  if (shown === undefined) {
    shown = Object.freeze({ ...policy, etag: 'md5' });
    withMd5Etags.set(policy, shown);
  }
  return shown;
}

/**
 * Makes the context of an operation. A tenant may reach the buckets that its patterns name, and no others.
 * @param bucket undefined for an operation on the whole service, such as ListBuckets
 * @throws GatewayError AccessDenied, or InvalidBucketName for a name that the store keeps for itself
 */
export function authorize(
  bucket: string | undefined,
  asker: Pick<OperationContext, 'tenant' | 'client' | 'signal' | 'trace'> & {
    readonly encryption?: AskedEncryption | undefined;
    /** What the request's dialect tells of objects; by default no digest, and ETags as the policy says. */
    readonly dialect?: ToldOfObjects | undefined;
  },
  tools: OperationTools,
): OperationContext {
  const { tenant, client, signal, trace } = asker;
  const { staging } = tools;
  if (bucket !== undefined) tools.store.buckets.check(bucket);
  const decision = bucket === undefined ? undefined : reachableDecision(bucket, { staging, tenant });
  const { dialect } = asker;
  const decided = bucket === undefined ? tenant.buckets[0] : decision?.policy;
  const policy = decision?.said.etag === undefined ? decided && policyIn(dialect, decided) : decided;
  if (policy === undefined) {
    throw clientError('AccessDenied', 'This access key’s tenant has no rights to the bucket.');
  }
  const keys = tools.keySources.open({ tenant, policy, asked: asker.encryption });
  const formats = tools.formatsFor(policy);
  const { crc64Dialects, keepsCrc64 } = tools;
  // A rule that names dialects says more of its bucket than the settings, which speak of all.
  const kept = decision?.said.dialects?.value.some((dialect) => crc64Dialects.has(dialect)) ?? keepsCrc64;
  const crc64 = dialect?.digests.includes('crc64') === true ? ('told' as const) : kept ? ('kept' as const) : undefined;
  const context = { ...tools, tenant, client, signal, trace, policy, crc64, dialect, keys, formats };
  const encrypter = formats.write.encrypter?.(context, asker.encryption);
  // The tools of a copy's source are those of the copy, whose store may be asked to encrypt as another bucket's is.
  if (encrypter === undefined && tools.store.encrypter === undefined) return context;
  return { ...context, store: tools.store.encryptedBy(encrypter) };
}

/**
 * Makes the context in which a copy reads its source, if the rules for the source's bucket allow it. It has a key
 * source of its own, because a request says separately how the source is encrypted and how the copy shall be.
 * @param context the context of the copy itself
 * @throws GatewayError what `authorize` throws
 */
export function authorizeSource({ ref, encryption }: CopySource, context: OperationContext): OperationContext {
  const { tenant, client, signal, trace, dialect } = context;
  holdUse(ref.bucket, context);
  return authorize(ref.bucket, { tenant, client, signal, trace, encryption, dialect }, context);
}
