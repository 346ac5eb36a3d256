import type { Operation } from '../../operations/operation.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { OperationContext } from '../context.ts';

/**
 * Matches the User-Agent of programs that take an ETag for the MD5 of what they sent, and report an upload as failed
 * where it is not: boto 2 (which gsutil is built on), Apache Libcloud, and rclone for the stores that it knows. The
 * name is all that tells them apart: they send Content-MD5, but so do many programs that never compare it with the
 * ETag. s3cmd is not among them, because it does not compare an ETag that has a dash.
 */
const COMPARES_MD5S = /\b(?:gsutil|libcloud|rclone)\/|^Boto\/2\./i;

const HINT =
  'this program compares ETags with MD5s and may report its uploads as failed: give the bucket the policy etag=md5 ' +
  '(sealgate tenant set NAME --bucket PATTERN:etag=md5)';

/** Adds a hint to the log line of a request, once for each tenant, that its buckets should have MD5s as ETags. */
export class Md5EtagHint {
  readonly #told = new Set<string>();

  note(operation: Operation, headers: HeaderList, { formats, policy, tenant, trace }: OperationContext): void {
    if (operation.kind !== 'PutObject' && operation.kind !== 'UploadPart') return;
    if (policy.etag === 'md5' || formats.write.asSent || this.#told.has(tenant.name)) return;
    if (!COMPARES_MD5S.test(headers.get('user-agent') ?? '')) return;
    this.#told.add(tenant.name);
    trace.hint = HINT;
  }
}
