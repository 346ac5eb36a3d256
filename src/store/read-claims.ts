import type { StoreClaim } from '../dialects/store-claim.ts';
import type { StoreGet } from '../dialects/store-exchange.ts';

/**
 * Whether the store may claim this about what was asked: only a range can lie past the end, and only a condition can
 * fail.
 */
export function isOfRead({ code }: StoreClaim, { range, conditions }: StoreGet): boolean {
  switch (code) {
    case 'InvalidRange':
      return range !== undefined;
    case 'NotModified':
      return (conditions.ifNoneMatch ?? conditions.ifModifiedSince) !== undefined;
    case 'PreconditionFailed':
      return conditions.ifMatch !== undefined;
  }
}
