import { s3Back as typed } from '../../src/dialects/s3/back/back.ts';

/** The same value with plain strings where it has identifiers that a grammar made. */
type Plain<T> = T extends string
  ? string
  : T extends readonly unknown[] | object
    ? T extends Buffer
      ? T
      : T extends (...args: infer Args) => infer Result
        ? (...args: { [At in keyof Args]: Plain<Args[At]> }) => Result
        : { [Name in keyof T]: Plain<T[Name]> }
    : T;

type Calls = typeof typed.calls;

/** The rows of S3 with plain strings in what they are asked, so that a test can ask a store for anything. */
export const s3Back = typed as unknown as Omit<typeof typed, 'calls' | 'forward'> & {
  readonly calls: {
    readonly [Name in keyof Calls]: Omit<Calls[Name], 'render'> & { render: Plain<Calls[Name]['render']> };
  };
  readonly forward: Plain<typeof typed.forward>;
};
