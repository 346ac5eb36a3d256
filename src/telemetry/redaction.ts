import { BackendRefusal, GatewayError } from '../errors.ts';

/**
 * The second line of defence. The first is that nobody hands a secret to the log; this one assumes that somebody did:
 * field names outside the list are dropped, and texts from errors of others lose whatever may carry a value.
 */

/** The only names that a log line may have beside level, time and message. */
export const LOG_FIELDS = [
  'accessKeyId',
  'address',
  'attempt',
  'backendCode',
  'backendStatus',
  'bucket',
  'bytesIn',
  'bytesOut',
  'cause',
  'client',
  'code',
  'count',
  'dependency',
  'detail',
  'dialect',
  'errorCode',
  'errorSource',
  'exitCode',
  'file',
  'firstByteMilliseconds',
  'hint',
  'key',
  'keyHash',
  'method',
  'milliseconds',
  'operation',
  'outcome',
  'phase',
  'pid',
  'reason',
  'requestId',
  'ringId',
  'signal',
  'stack',
  'status',
  'tenant',
  'version',
  'warnings',
  'worker',
] as const;

export type LogField = (typeof LOG_FIELDS)[number];
export type LogValue = string | number | boolean | undefined;
export type LogFields = { readonly [name in LogField]?: LogValue };

const ALLOWED: ReadonlySet<string> = new Set(LOG_FIELDS);
/** Names that the gateway made or verified itself; scrubbing would take a request id for a secret. */
const IDENTIFIERS: ReadonlySet<string> = new Set<LogField>(['accessKeyId', 'bucket', 'requestId', 'ringId', 'tenant']);
const MAX_TEXT = 500;

/** Only listed fields, only plain values, texts scrubbed. Whatever else came is dropped. */
export function allowedFields(fields: object): Record<string, LogValue> {
  const kept: Record<string, LogValue> = {};
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (!ALLOWED.has(name)) continue;
    if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
    else if (typeof value === 'string') kept[name] = IDENTIFIERS.has(name) ? value : scrub(value);
  }
  return kept;
}

/** In this order: what follows a telling name, user names and queries of URLs, quoted values, long random-looking words. */
const SCRUBS: readonly (readonly [RegExp, string])[] = [
  [
    /\b(authorization|signature|credential|security-token|x-amz-[a-z0-9-]+|password|passwd|secret\w*|token|cookie|(?:access|api|private|root)[ _-]?key\w*)(\s*[=:]\s*)(?:(?:bearer|basic|aws4-hmac-sha256|aws|qs)\s+)?[^\s,;&]+/gi,
    '$1$2[redacted]',
  ],
  [/:\/\/[^\s/@]*@/g, '://[redacted]@'],
  [/\?[^\s]*/g, '?[redacted]'],
  [/'[^']*'|"[^"]*"|`[^`]*`/g, '[value]'],
  [/\b[0-9a-f]{32,}\b/gi, '[redacted]'],
  [/(?=[A-Za-z0-9+/=_-]*[A-Z])(?=[A-Za-z0-9+/=_-]*[0-9])[A-Za-z0-9+/=_-]{16,}/g, '[redacted]'],
];

/**
 * A text of unknown origin, made safe to log. It errs towards losing something: Redis quotes a command's arguments in
 * its errors, V8 quotes the JSON that it could not parse, node quotes the argument that it did not like.
 */
export function scrub(text: string): string {
  let scrubbed = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  if (scrubbed.length < 16 && !/[=:?@'"`]/.test(scrubbed)) return scrubbed;
  for (const [pattern, replacement] of SCRUBS) scrubbed = scrubbed.replace(pattern, replacement);
  return scrubbed;
}

/** Buckets reach the log before anyone verified them: what no vendor would take as a name is not repeated. */
export function bucketField(bucket: string | undefined): string | undefined {
  if (bucket === undefined) return undefined;
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(bucket) ? bucket : '[invalid]';
}

/** As stores name their refusals. Whatever else stands there may be something that the store was sent. */
const BACKEND_CODE = /^[A-Za-z]{1,40}\d{0,3}[A-Za-z]{0,20}$/;

/** What the backend said, where that is what an error came of: scrubbing would take its code for a secret. */
export function backendFields(thrown: unknown): LogFields {
  const [refusal] = chainOf(thrown).filter((link) => link instanceof BackendRefusal);
  if (refusal === undefined) return {};
  const backendCode = BACKEND_CODE.test(refusal.code) ? refusal.code : undefined;
  return { backendStatus: refusal.status, ...(backendCode && { backendCode }) };
}

const MAX_CAUSES = 4;

/** `GatewayError BackendUnavailable: … < Error ECONNREFUSED: …`, scrubbed. */
export function describeError(thrown: unknown): string {
  return chainOf(thrown).map(describeLink).join(' < ');
}

function chainOf(thrown: unknown): unknown[] {
  const links: unknown[] = [];
  let link = thrown;
  while (link !== undefined && link !== null && links.length < MAX_CAUSES) {
    links.push(link);
    link = link instanceof Error ? link.cause : undefined;
  }
  return links;
}

function describeLink(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `thrown ${typeof thrown}`;
  const known = 'code' in thrown && typeof thrown.code === 'string' && !(thrown instanceof BackendRefusal);
  const code = known ? ` ${(thrown.code as string).slice(0, 60)}` : '';
  // A syntax error's message is the text that did not parse: a record's payload, perhaps.
  const message = thrown instanceof SyntaxError ? '' : `: ${scrub(thrown.message)}`;
  return `${thrown.name}${code}${message}`;
}

const MAX_FRAMES = 8;

/** Where an error that nobody foresaw came from: frames only, without the message on top of a stack. */
export function describeStack(thrown: unknown): string | undefined {
  if (thrown instanceof GatewayError && thrown.source !== 'gateway') return undefined;
  const error = thrown instanceof GatewayError ? thrown.cause : thrown;
  if (!(error instanceof Error) || error instanceof GatewayError || error.stack === undefined) return undefined;
  const frames = error.stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return frames.length === 0
    ? undefined
    : frames
        .slice(0, MAX_FRAMES)
        .map((line) => line.trim())
        .join(' | ');
}
