import type { BackendDialect } from '../../src/dialects/backend-dialect.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import type { OutgoingRequest } from '../../src/wire/message.ts';

type Rows = typeof s3Back.calls;

/** For each row that is altered, what stands in place of its own `render` or `read`. */
export type AlteredRows = {
  readonly [Name in keyof Rows]?: {
    readonly render?: (...asked: Parameters<Rows[Name]['render']>) => OutgoingRequest;
    readonly read?: (...answer: Parameters<Rows[Name]['read']>) => ReturnType<Rows[Name]['read']>;
  };
};

/** The dialect of a store that speaks S3 except in single rows. */
export function s3With(altered: AlteredRows): BackendDialect {
  const calls: Record<string, object> = { ...s3Back.calls };
  for (const [name, row] of Object.entries(altered)) calls[name] = { ...calls[name], ...row };
  return { ...s3Back, calls: calls as unknown as Rows };
}
