import type { BackendDialect } from './backend-dialect.ts';
import { cosFront } from './cos/front/front.ts';
import type { FrontDialect } from './front-dialect.ts';
import { ossFront } from './oss/front/front.ts';
import { qingstorFront } from './qingstor/front.ts';
import { s3Back } from './s3/back/back.ts';
import { s3Front } from './s3/front/front.ts';

/** Every dialect that clients may speak. They are tried in this order; the last one takes what the others do not. */
export const FRONTS: readonly FrontDialect[] = [qingstorFront, ossFront, cosFront, s3Front];

/** Dialects of backends, by the names that the setting `backend.dialect` has for them. */
export type BackendTable = Readonly<Record<string, BackendDialect>>;

/** Every dialect that the gateway speaks to a backend. */
export const BACKENDS = { s3: s3Back } as const satisfies BackendTable;

/** The dialect that the setting `backend.dialect` names. */
export function backendDialect(name: string, table: BackendTable = BACKENDS): BackendDialect {
  const dialect = Object.hasOwn(table, name) ? table[name] : undefined;
  if (dialect === undefined) throw new RangeError(`There is no backend dialect ${name}.`);
  return dialect;
}
