import type { BackendDialect } from './backend-dialect.ts';
import type { FrontDialect } from './front-dialect.ts';
import { qingstorFront } from './qingstor/front.ts';
import { s3Back } from './s3/back/back.ts';
import { s3Front } from './s3/front/front.ts';

/** Every dialect that clients may speak. They are tried in this order; the last one takes what the others do not. */
export const FRONTS: readonly FrontDialect[] = [qingstorFront, s3Front];

/** Every dialect that the gateway speaks to a backend, by name. */
export const BACKENDS = { s3: s3Back } as const satisfies Readonly<Record<string, BackendDialect>>;
