import type { BucketCreated, BucketDeleted, BucketFound, BucketListing, BucketLocation } from '../operations/answer.ts';
import type {
  CreateBucket,
  DeleteBucket,
  GetBucketLocation,
  HeadBucket,
  ListBuckets,
} from '../operations/operation.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { reachablePolicy } from './reachable.ts';
import type { OperationContext, PipelineServices } from './services.ts';

/** ListBuckets: the backend's, as far as they are the tenant's. */
export async function listBuckets(
  operation: ListBuckets,
  {
    services,
    tenant,
    signal,
  }: { readonly services: PipelineServices; readonly tenant: Tenant; readonly signal: AbortSignal },
): Promise<BucketListing> {
  const buckets = await services.store.buckets.list(signal);
  return {
    kind: 'BucketListing',
    owner: { id: tenant.name, displayName: tenant.name },
    buckets: buckets.filter(
      ({ name }) => name.startsWith(operation.prefix) && reachablePolicy(name, { services, tenant }) !== undefined,
    ),
  };
}

export async function headBucket(operation: HeadBucket, context: OperationContext): Promise<BucketFound> {
  await context.services.store.buckets.head(operation.bucket, context.signal);
  return { kind: 'BucketFound', region: context.services.settings.region };
}

export async function createBucket(operation: CreateBucket, context: OperationContext): Promise<BucketCreated> {
  await context.services.store.buckets.create(operation, context.signal);
  return { kind: 'BucketCreated', bucket: operation.bucket };
}

export async function deleteBucket(operation: DeleteBucket, context: OperationContext): Promise<BucketDeleted> {
  await context.services.store.buckets.delete(operation.bucket, context.signal);
  return { kind: 'BucketDeleted' };
}

/** The gateway's own region: what clients must sign for, whatever the backend calls its place. */
export async function bucketLocation(operation: GetBucketLocation, context: OperationContext): Promise<BucketLocation> {
  await context.services.store.buckets.head(operation.bucket, context.signal);
  return { kind: 'BucketLocation', region: context.services.settings.region };
}
