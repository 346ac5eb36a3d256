import type { Operation } from '../../operations/operation.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { OperationContext } from '../context.ts';

/**
 * Programs that take an ETag for the MD5 of what they sent, and call an upload failed if it is not: boto 2, on which
 * gsutil is built, Apache Libcloud, and rclone for the stores that it knows. They are recognised by their names alone,
 * because Content-MD5, which they send too, is sent by many programs that never compare. s3cmd compares no ETag that
 * has a dash.
 */
const COMPARES_MD5S = /\b(?:gsutil|libcloud|rclone)\/|^Boto\/2\./i;

const HINT =
  'this program compares ETags with MD5s and may report its uploads as failed: give the bucket the policy etag=md5 ' +
  '(sealgate tenant set NAME --bucket PATTERN:etag=md5)';

/** Notes once for each tenant, on the line of a request in the log, that its buckets should have MD5s as ETags. */
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
