import type { S3Operation } from '../../dialects/s3/operation-row.ts';
import { actionsOf } from '../../encryption/bucket-policy/actions.ts';
import type { HeldStatement } from '../../operations/bucket-policy.ts';
import type { Operation } from '../../operations/operation.ts';
import { matchesWildcards } from '../../operations/wildcards.ts';

/**
 * Names the statements of a bucket's policy that the gateway holds, and that are about an operation. Whether they deny
 * a request depends on its key, and on what it says of encryption.
 */
export function statementsAbout(row: S3Operation, statements: readonly HeldStatement[]): readonly string[] {
  const actions = actionsOf(someOperation(row), { foldsFirstSlash: false }).map(({ action }) => action.toLowerCase());
  return statements
    .filter(({ actions: patterns }) =>
      patterns.some((pattern) => actions.some((action) => matchesWildcards(pattern.toLowerCase(), action))),
    )
    .map(({ name }) => name);
}

/** An operation of this kind. Of what it is about, only whether it is an object or a bucket means anything. */
function someOperation({ name, level, treatment }: S3Operation): Operation {
  const ref = { bucket: 'b', key: 'k' };
  if (treatment === 'forwarded') {
    return { kind: 'Forward', name, bucket: ref.bucket, key: level === 'object' ? ref.key : undefined, changes: false };
  }
  const kind = name === 'ListObjectsV2' ? 'ListObjects' : name;
  return { kind, bucket: ref.bucket, ref, targets: [ref] } as unknown as Operation;
}
