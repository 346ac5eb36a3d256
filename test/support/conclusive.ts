import {
  type ConclusiveCode,
  ConclusiveError,
  type ErrorCode,
  GatewayError,
  type GatewayErrorOptions,
  type InconclusiveCode,
  proven,
} from '../../src/errors.ts';

const CONCLUSIVE: ReadonlySet<ErrorCode> = new Set<ConclusiveCode>([
  'InvalidPartNumber',
  'InvalidRange',
  'NotModified',
]);

/** An error of any code, for tests of what becomes of it: what it says needs no proof here. */
export function errorOf(
  code: ErrorCode,
  message: string,
  options: Pick<GatewayErrorOptions, 'facts' | 'said'> = {},
): GatewayError {
  if (CONCLUSIVE.has(code))
    return new ConclusiveError(code as ConclusiveCode, message, { proof: proven({}), ...options });
  return new GatewayError(code as InconclusiveCode, message, { source: 'gateway', ...options });
}
