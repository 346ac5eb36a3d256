import type { BackDialect } from '../../src/dialects/back-dialect.ts';
import { s3Back as typed } from '../../src/dialects/s3/back/back.ts';

/** The same value with plain strings where it has identifiers that a grammar made. */
type Plain<T> = T extends string
  ? string
  : T extends readonly unknown[] | object
    ? T extends Buffer | ((...args: never[]) => unknown)
      ? T
      : { [Name in keyof T]: Plain<T[Name]> }
    : T;

type Taking<F> = F extends (...args: infer Args) => infer Result
  ? (...args: { [At in keyof Args]: Plain<Args[At]> }) => Result
  : F;

/** The requests that a test asks of the dialect itself, past every grammar: so it can ask a store for anything. */
export const s3Back = typed as unknown as BackDialect & { [Name in keyof BackDialect]: Taking<BackDialect[Name]> };
