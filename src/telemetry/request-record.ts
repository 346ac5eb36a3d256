import type { ErrorCode, ErrorSource } from '../errors.ts';

/** How an exchange ended: the answer went out whole, the client left before, or the gateway had to cut it short. */
export type RequestOutcome = 'complete' | 'client-gone' | 'cut';

/** One request when it is over: what the log line and the metrics are made of. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly dialect: string | undefined;
  readonly operation: string | undefined;
  /** Only ever a verified one. */
  readonly tenant: string | undefined;
  /** Only ever a verified one. */
  readonly accessKeyId: string | undefined;
  /** As the client named it, verified or not. */
  readonly bucket: string | undefined;
  /** The object's, as the client named it, verified or not. */
  readonly key: string | undefined;
  /** The client's IP address. */
  readonly client: string;
  /** 499 when the client left before an answer began. */
  readonly status: number;
  /** Body bytes after HTTP's framing, before a vendor's. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
  /** From the request's head to the answer's; undefined when no answer began. */
  readonly firstByteSeconds: number | undefined;
  readonly sealSeconds: number;
  readonly openSeconds: number;
  readonly outcome: RequestOutcome;
  readonly errorCode: ErrorCode | undefined;
  readonly errorSource: ErrorSource | undefined;
  readonly error: Error | undefined;
  /** What an administrator may change to let such a request in, or to content its program. */
  readonly hint: string | undefined;
  /** Claims that policy `warn` let pass. */
  readonly warnings: readonly string[] | undefined;
  /** Objects that were refused because they begin as sealed ones do and have no envelope. */
  readonly lostEnvelopes: number;
}

/** What the pipeline learns of a request (pipeline/trace.ts). */
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
  | 'warnings'
  | 'lostEnvelopes'
>;

/** As nginx logs it: the client closed before the answer began. */
const CLIENT_CLOSED_REQUEST = 499;

/** `status` undefined: no answer began. */
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
    warnings: trace.warnings,
    lostEnvelopes: trace.lostEnvelopes,
  };
}
