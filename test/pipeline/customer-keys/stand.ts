import { createHash } from 'node:crypto';
import { S3_ERRORS } from '../../../src/dialects/s3/error-table.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { type AskedEncryption, CustomerKey } from '../../../src/operations/encryption.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import type { BucketPolicy } from '../../../src/tenants/bucket-policy.ts';
import { type InProcess, refusalOf } from '../in-process.ts';

/** What a request says that brings a customer's key of such bytes. */
export function customerKey(fill: number): AskedEncryption & { readonly kind: 'customer' } {
  const bytes = Buffer.alloc(32, fill);
  return { kind: 'customer', key: new CustomerKey(bytes, createHash('md5').update(bytes).digest()) };
}

/** Two keys of a client's. They are made anew for each request, which erases its own. */
export const KEYS = { one: () => customerKey(0x51), two: () => customerKey(0x52) } as const;

/** What an operation gets of a request that asks for this encryption. */
export function asking(
  stand: InProcess,
  asked: AskedEncryption | undefined,
  policy: Partial<BucketPolicy> = {},
): OperationContext {
  const context = stand.context(policy);
  const keys = stand.tools.keySources.open({ tenant: context.tenant, policy: context.policy, asked });
  return { ...context, keys };
}

/** What S3's clients are told where an operation is refused, or `fine`. */
export async function toldOf(done: Promise<unknown>): Promise<string> {
  const code = await refusalOf(done);
  if (code === 'none') return 'fine';
  const spelling = S3_ERRORS[code as ErrorCode];
  return spelling === undefined ? code : `${spelling.status} ${spelling.code}`;
}
