import type { ErrorCode, ErrorSource } from '../errors.ts';

/**
 * How an exchange ended: the answer was sent whole, the client left before that, or the gateway cut the answer short.
 */
export type RequestOutcome = 'complete' | 'client-gone' | 'cut';

/** One request that has ended. The log line and the metrics are made of it. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly dialect: string | undefined;
  readonly operation: string | undefined;
  /** Known only if the signature was verified, or if the bucket takes requests without one. */
  readonly tenant: string | undefined;
  /** Known only if the signature was verified. */
  readonly accessKeyId: string | undefined;
  /** The bucket as the client named it, whether verified or not. */
  readonly bucket: string | undefined;
  /** The object's key as the client named it, whether verified or not. */
  readonly key: string | undefined;
  /** The client's IP address. */
  readonly client: string;
  /** It is 499 if the client left before an answer began. */
  readonly status: number;
  /**
   * Bytes of the body, after HTTP's own framing was undone and before a vendor's is. The next one counts the answer's
   * body.
   */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
  /** The seconds from the request's head to the answer's head; undefined if no answer began. */
  readonly firstByteSeconds: number | undefined;
  readonly sealSeconds: number;
  readonly openSeconds: number;
  readonly outcome: RequestOutcome;
  readonly errorCode: ErrorCode | undefined;
  readonly errorSource: ErrorSource | undefined;
  readonly error: Error | undefined;
  /** What an administrator may change to let such a request in, or to make the client's program content. */
  readonly hint: string | undefined;
  /** The rule of the policy that refused the request. */
  readonly rule: string | undefined;
  /** The bound claims that did not hold and that the policy `warn` let pass. */
  readonly warnings: readonly string[] | undefined;
  /** How many objects were refused because they begin as sealed ones do and have no envelope. */
  readonly lostEnvelopes: number;
  /** How many objects were met that the store should have encrypted by itself, and has not. */
  readonly unprotected: number;
}

/** What the pipeline finds out about a request (pipeline/trace.ts). */
export type RequestFindings = Pick<
  RequestRecord,
  | 'dialect'
  | 'operation'
  | 'tenant'
  | 'accessKeyId'
  | 'bucket'
  | 'key'
  | 'sealSeconds'
  | 'openSeconds'
  | 'errorCode'
  | 'errorSource'
  | 'error'
  | 'hint'
  | 'rule'
  | 'warnings'
  | 'lostEnvelopes'
  | 'unprotected'
>;

/** The status that nginx logs when the client closes the connection before the answer begins. */
const CLIENT_CLOSED_REQUEST = 499;

/** Makes the record of a request. `status` is undefined if no answer began. */
export function requestRecord(
  parts: Omit<RequestRecord, keyof RequestFindings | 'status'> & {
    readonly trace: RequestFindings;
    readonly status: number | undefined;
  },
): RequestRecord {
  const { trace } = parts;
  return {
    requestId: parts.requestId,
    method: parts.method,
    dialect: trace.dialect,
    operation: trace.operation,
    tenant: trace.tenant,
    accessKeyId: trace.accessKeyId,
    bucket: trace.bucket,
    key: trace.key,
    client: parts.client,
    status: parts.status ?? CLIENT_CLOSED_REQUEST,
    bytesIn: parts.bytesIn,
    bytesOut: parts.bytesOut,
    seconds: parts.seconds,
    firstByteSeconds: parts.firstByteSeconds,
    sealSeconds: trace.sealSeconds,
    openSeconds: trace.openSeconds,
    outcome: parts.outcome,
    errorCode: trace.errorCode,
    errorSource: trace.errorSource,
    error: trace.error,
    hint: trace.hint,
    rule: trace.rule,
    warnings: trace.warnings,
    lostEnvelopes: trace.lostEnvelopes,
    unprotected: trace.unprotected,
  };
}
