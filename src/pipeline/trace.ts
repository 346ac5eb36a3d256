import type { ErrorCode, ErrorSource } from '../errors.ts';
import type { DialectName } from '../operations/object.ts';

/**
 * What the log and the metrics are told of one request. The pipeline fills it in as it learns things, and the server
 * logs and counts it when the request is over. Only values from bounded sets become metric labels: dialect, operation,
 * status, error source and error code.
 */
export class RequestTrace {
  dialect: DialectName | undefined;
  /** A name from the bounded set that `operationName` gives. */
  operation: string | undefined;
  tenant: string | undefined;
  bucket: string | undefined;
  /** The key of the object that is read or written, decoded from what the client sent. */
  key: string | undefined;
  accessKeyId: string | undefined;
  errorCode: ErrorCode | undefined;
  errorSource: ErrorSource | undefined;
  /**
   * What an administrator may change so that such a request is let in, or so that the client's program accepts the
   * answer. It stands in the log only, and quotes nothing that the client sent.
   */
  hint: string | undefined;
  /** The rule of the policy that refused the request: its file, line and column, and the field. */
  rule: string | undefined;
  /** The error with its causes. It stands in the log only and is never shown to the client. */
  error: Error | undefined;
  /** Seconds that the cipher took to seal. */
  sealSeconds = 0;
  /** Seconds that the cipher took to open. */
  openSeconds = 0;
  /** The claims of envelopes that did not hold and that the policy `warn` let pass: 'location', 'metadata'. */
  warnings: string[] | undefined;
  /** How many objects of mixed buckets were refused because they begin like sealed objects and have no envelope. */
  lostEnvelopes = 0;
  /** How many objects were met that the store should have encrypted by itself, and has not. */
  unprotected = 0;
}
