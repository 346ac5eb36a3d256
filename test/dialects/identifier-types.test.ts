import { expectTypeOf, test } from 'vitest';
import type { BackendCalls } from '../../src/dialects/backend-calls.ts';
import type { BackendDialect } from '../../src/dialects/backend-dialect.ts';
import type { StoreGrammar } from '../../src/dialects/identifiers.ts';

/** What the compiler must prove: a row is given no identifier that the store's grammar has not made. */

/** The names of identifiers that are plain strings in a value, or in what it holds. */
type Unread<T> = {
  [Name in keyof T]-?: Name extends keyof StoreGrammar
    ? string extends T[Name]
      ? Name
      : never
    : Name extends 'ref' | 'source'
      ? Unread<NonNullable<T[Name]>>
      : Name extends 'targets'
        ? Unread<T[Name] extends readonly (infer Target)[] ? Target : never>
        : never;
}[keyof T];

type AskedOf<Row> = Row extends { render(asked: infer Asked): unknown } ? Asked : never;
type UnreadInRows = { [Name in keyof BackendCalls]-?: Unread<AskedOf<NonNullable<BackendCalls[Name]>>> };

test('no row and nothing that is forwarded is given an identifier that no grammar read', () => {
  expectTypeOf<UnreadInRows[keyof UnreadInRows]>().toBeNever();
  expectTypeOf<Unread<Parameters<NonNullable<BackendDialect['forward']>>[1]>>().toBeNever();
  // The same test finds what it should.
  expectTypeOf<Unread<{ ref: { bucket: string; key: string } }>>().toEqualTypeOf<'bucket' | 'key'>();
  type Nested = { source: { ref: { versionId?: string } }; uploadId: string };
  expectTypeOf<Unread<Nested>>().toEqualTypeOf<'versionId' | 'uploadId'>();
});
