import type { ErrorCode, ErrorSource } from '../errors.ts';
import type { DialectName } from '../operations/object.ts';

/**
 * What one request turned out to be, filled in as the pipeline learns it; the server logs and counts it when the
 * request is over. Only bounded values become metric labels: dialect, operation, status, error source and code.
 */
export class RequestTrace {
  dialect: DialectName | undefined;
  /** From a bounded set: operationName(). */
  operation: string | undefined;
  tenant: string | undefined;
  bucket: string | undefined;
  /** Of the object that is asked for, or written: as the client sent it, decoded. */
  key: string | undefined;
  accessKeyId: string | undefined;
  errorCode: ErrorCode | undefined;
  errorSource: ErrorSource | undefined;
  /**
   * For the log: what an administrator may change so that such a request is let in, or its program believes the answer.
   * It quotes nothing that the client sent.
   */
  hint: string | undefined;
  /** The error itself, for the log's cause; never shown to the client. */
  error: Error | undefined;
  /** Seconds spent in the cipher. */
  sealSeconds = 0;
  openSeconds = 0;
  /** Claims that policy `warn` let pass: 'location', 'metadata'. */
  warnings: string[] | undefined;
  /** How many objects of mixed buckets were refused because they begin as sealed ones do and have no envelope. */
  lostEnvelopes = 0;
}
