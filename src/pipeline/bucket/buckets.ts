import type {
  BucketCreated,
  BucketDeleted,
  BucketFound,
  BucketListing,
  BucketLocation,
} from '../../operations/bucket-answers.ts';
import type { ListBuckets } from '../../operations/listing.ts';
import type { CreateBucket, DeleteBucket, GetBucketLocation, HeadBucket } from '../../operations/operation.ts';
import { reachablePolicy } from '../admission/reachable.ts';
import type { OperationContext } from '../context.ts';
import { contentsOf } from './contents.ts';
import { bucketExists } from './encryption.ts';

/** Carries out ListBuckets: of the backend's buckets, it lists those that the tenant may reach. */
export async function listBuckets(
  operation: ListBuckets,
  { store, staging, tenant, signal }: OperationContext,
): Promise<BucketListing> {
  const buckets = await store.buckets.list(signal);
  return {
    kind: 'BucketListing',
    owner: { id: tenant.name, displayName: tenant.name },
    buckets: buckets.filter(
      ({ name }) => name.startsWith(operation.prefix) && reachablePolicy(name, { staging, tenant }) !== undefined,
    ),
  };
}

export async function headBucket(
  { bucket, withDate, withContents }: HeadBucket,
  context: OperationContext,
): Promise<BucketFound> {
  const { store, tenant, signal, region } = context;
  await store.buckets.head(bucket, signal);
  const listed = withDate === true ? await store.buckets.list(signal) : [];
  const owner = { id: tenant.name, displayName: tenant.name };
  const created = listed.find(({ name }) => name === bucket)?.created;
  const contents = withContents === true ? await contentsOf(bucket, context) : undefined;
  return { kind: 'BucketFound', bucket, region, owner, created, contents };
}

export async function createBucket(operation: CreateBucket, context: OperationContext): Promise<BucketCreated> {
  const { bucketDefaults, formats, signal, store, tenant } = context;
  const { bucket } = operation;
  await bucketDefaults.creating(tenant, bucket, {
    seals: !formats.write.asSent,
    exists: () => bucketExists(bucket, context),
    make: () => store.buckets.create(operation, signal),
  });
  return { kind: 'BucketCreated', bucket };
}

export async function deleteBucket(operation: DeleteBucket, context: OperationContext): Promise<BucketDeleted> {
  const { bucketDefaults, signal, store, tenant } = context;
  const { bucket } = operation;
  await bucketDefaults.deleting(tenant, bucket, () => store.buckets.delete(bucket, signal));
  return { kind: 'BucketDeleted' };
}

/** Carries out GetBucketLocation. The answer is the gateway's region, which clients sign for, and not the backend's. */
export async function bucketLocation(operation: GetBucketLocation, context: OperationContext): Promise<BucketLocation> {
  await context.store.buckets.head(operation.bucket, context.signal);
  return { kind: 'BucketLocation', region: context.region };
}
