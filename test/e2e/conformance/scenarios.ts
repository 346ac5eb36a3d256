import type { Scenario } from '../../support/conformance/scenario.ts';
import { CHECKSUMS } from './checksums.ts';
import { COPIES } from './copies.ts';
import { ERRORS } from './errors.ts';
import { HEADERS } from './headers.ts';
import { LISTINGS } from './listings.ts';
import { OBJECTS } from './objects.ts';
import { READS } from './reads.ts';
import { SIGNATURES } from './signatures.ts';
import { UPLOADS } from './uploads.ts';
import { VERSIONS } from './versions.ts';

/** What clients do, request by request: all of it is sent both ways to each store. */
export const SCENARIOS: readonly Scenario[] = [
  ...OBJECTS,
  ...READS,
  ...LISTINGS,
  ...VERSIONS,
  ...UPLOADS,
  ...COPIES,
  ...CHECKSUMS,
  ...ERRORS,
  ...HEADERS,
  ...SIGNATURES,
];
