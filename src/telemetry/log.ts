import { type Logger, pino } from 'pino';
import { BatchedSink, type LineSink } from './batched-sink.ts';
import { methodLabel } from './labels.ts';
import {
  allowedFields,
  backendFields,
  bucketField,
  describeError,
  describeStack,
  type LogFields,
  scrub,
} from './redaction.ts';
import type { RequestRecord } from './request-record.ts';
import { textLine } from './text-line.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** One JSON object a line, or text for people. */
  readonly format: 'json' | 'text';
  /** A file descriptor (1 is standard output), or an object that takes whole lines. */
  readonly destination: number | { write(line: string): unknown };
  /** Fields that stand on every line. */
  readonly common?: LogFields | undefined;
}

/** How the log shows the keys of objects (key-names.ts). */
export type KeyField = (key: string) => LogFields;

/** The log. It writes only fields that are on a list (redaction.ts); all others are dropped. */
export class Log {
  readonly #logger: Logger;
  readonly #sink: LineSink;
  readonly #timestamp: () => string;
  readonly #common: LogFields;
  readonly #commonText: string;
  readonly #keyField: KeyField | undefined;
  /** The loggers of all logs that were derived from the same one; they change their level together. */
  readonly #family: Set<Logger>;

  constructor(parts: {
    readonly logger: Logger;
    readonly sink: LineSink;
    readonly timestamp: () => string;
    readonly common: LogFields;
    readonly keyField?: KeyField | undefined;
    readonly family?: Set<Logger>;
  }) {
    this.#logger = parts.logger;
    this.#family = (parts.family ?? new Set()).add(parts.logger);
    this.#sink = parts.sink;
    this.#timestamp = parts.timestamp;
    this.#common = parts.common;
    const common = JSON.stringify(parts.common).slice(1, -1);
    this.#commonText = common === '' ? '' : `,${common}`;
    this.#keyField = parts.keyField;
  }

  /** Returns the same log with more fields on every line, or, given `keyField`, with keys on the lines of requests. */
  with(more: { readonly common?: LogFields; readonly keyField?: KeyField }): Log {
    const added = allowedFields(more.common ?? {});
    return new Log({
      logger: this.#logger.child(added),
      sink: this.#sink,
      timestamp: this.#timestamp,
      common: { ...this.#common, ...added },
      keyField: more.keyField ?? this.#keyField,
      family: this.#family,
    });
  }

  /** Writes no lines below this level from now on, in this log and in all that were derived from the same one. */
  setLevel(level: LogLevel): void {
    for (const logger of this.#family) logger.level = level;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(allowedFields(fields), scrub(message));
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(allowedFields(fields), scrub(message));
  }

  warn(message: string, fields: LogFields = {}, thrown?: unknown): void {
    this.#logger.warn({ ...allowedFields(fields), ...errorFields(thrown) }, scrub(message));
  }

  error(message: string, fields: LogFields = {}, thrown?: unknown): void {
    this.#logger.error({ ...allowedFields(fields), ...errorFields(thrown) }, scrub(message));
  }

  /**
   * Writes the one line of a request. It includes an error's causes, unless the client alone caused the error.
   */
  request(record: RequestRecord): void {
    // Bytes that fail authentication are logged as an error, although the status (422) is a client's.
    const failed = record.status >= 500 || record.outcome === 'cut' || record.errorCode === 'ObjectCorrupted';
    const level = failed ? 'error' : 'info';
    if (!this.#logger.isLevelEnabled(level)) return;
    // pino's own way to the same line takes 3 µs more, and every request writes one.
    const fields = JSON.stringify(requestFields(record, failed, this.#keyField));
    this.#sink.write(
      `{"level":"${level}"${this.#timestamp()}${this.#commonText},${fields.slice(1, -1)},"msg":"request"}\n`,
    );
  }

  /** Resolves once everything logged so far was handed to the operating system. */
  flush(): Promise<void> {
    return this.#sink.flush();
  }

  /** Hands everything to the operating system at once; meant for the last moment of a process. */
  flushSync(): void {
    this.#sink.flushSync();
  }
}

/** Makes a log that writes to the given destination. */
export function createLog(options: LogOptions): Log {
  const sink = openSink(options);
  const timestamp = createTimestamp();
  const common = allowedFields(options.common ?? {});
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger = pino({ level: options.level, base: common, timestamp, formatters }, sink);
  return new Log({ logger, sink, timestamp, common });
}

function openSink({ destination, format }: LogOptions): LineSink {
  const sink =
    typeof destination === 'number'
      ? new BatchedSink(destination)
      : {
          write: (line: string) => destination.write(line),
          flush: () => Promise.resolve(),
          flushSync: () => undefined,
        };
  if (format === 'json') return sink;
  return {
    write: (line) => sink.write(textLine(line)),
    flush: () => sink.flush(),
    flushSync: () => sink.flushSync(),
  };
}

/**
 * Returns the time in ISO form, by which people search. It is made once a millisecond, so that requests do not pay for
 * it.
 */
function createTimestamp(): () => string {
  let madeAt = 0;
  let made = '';
  return () => {
    const now = Date.now();
    if (now !== madeAt) {
      madeAt = now;
      made = `,"time":"${new Date(now).toISOString()}"`;
    }
    return made;
  };
}

function requestFields(record: RequestRecord, failed: boolean, keyField: KeyField | undefined): LogFields {
  const fields: { -readonly [name in keyof LogFields]: LogFields[name] } = {
    requestId: record.requestId,
    client: record.client,
    tenant: record.tenant,
    accessKeyId: record.accessKeyId,
    dialect: record.dialect,
    operation: record.operation,
    ...(record.operation === undefined && { method: methodLabel(record.method) }),
    bucket: bucketField(record.bucket),
    ...(record.key !== undefined && keyField?.(record.key)),
    status: record.status,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    milliseconds: Math.round(record.seconds * 1e5) / 100,
  };
  if (record.firstByteSeconds !== undefined) {
    fields.firstByteMilliseconds = Math.round(record.firstByteSeconds * 1e5) / 100;
  }
  if (record.outcome !== 'complete') fields.outcome = record.outcome;
  const { warnings = [], unprotected } = record;
  const told = unprotected > 0 ? [...warnings, 'unencrypted'] : warnings;
  if (told.length > 0) fields.warnings = told.join(' ');
  if (record.hint !== undefined) fields.hint = record.hint;
  if (record.rule !== undefined) fields.rule = record.rule;
  if (record.errorCode !== undefined) {
    fields.errorCode = record.errorCode;
    fields.errorSource = record.errorSource;
  }
  if (failed || explains(record)) Object.assign(fields, backendFields(record.error), errorFields(record.error));
  return fields;
}

/** Whether the cause of a request's error tells the operator more than its code does. */
function explains({ error, errorSource, errorCode }: RequestRecord): boolean {
  // Its message says which row of docs/recovery.md applies.
  if (error !== undefined && errorCode === 'ObjectCorrupted') return true;
  if (error?.cause === undefined) return false;
  return errorSource !== 'client' || errorCode === 'AccessDenied';
}

function errorFields(thrown: unknown): LogFields {
  if (thrown === undefined) return {};
  return { cause: describeError(thrown), stack: describeStack(thrown) };
}
