import type { FrontDialect } from './front-dialect.ts';
import { qingstorFront } from './qingstor/front.ts';
import { s3Front } from './s3/front/front.ts';

/** Every dialect that clients may speak, in order of trial; the last one takes what nobody recognises. */
export const FRONTS: readonly FrontDialect[] = [qingstorFront, s3Front];
