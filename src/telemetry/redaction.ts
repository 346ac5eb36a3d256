import { BackendRefusal, GatewayError } from '../errors.ts';

/**
 * This file is the second line of defence for secrets. The first is that no code hands a secret to the log; this one
 * assumes that some code did. Fields outside the list are dropped, and texts of errors that the gateway did not make
 * lose what may hold a value.
 */

/** The only fields that a log line may have beside level, time and message. */
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
  'rule',
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
/** The fields of a log line. */
export type LogFields = { readonly [name in LogField]?: LogValue };

const ALLOWED: ReadonlySet<string> = new Set(LOG_FIELDS);
/** Fields whose values the gateway made or verified itself; scrubbing would take a request id for a secret. */
const IDENTIFIERS: ReadonlySet<string> = new Set<LogField>(['accessKeyId', 'bucket', 'requestId', 'ringId', 'tenant']);
const MAX_TEXT = 500;

/** Keeps only listed fields with plain values, and scrubs texts. Everything else is dropped. */
export function allowedFields(fields: object): Record<string, LogValue> {
  const kept: Record<string, LogValue> = {};
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (!ALLOWED.has(name)) continue;
    if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
    else if (typeof value === 'string') kept[name] = IDENTIFIERS.has(name) ? value : scrub(value);
  }
  return kept;
}

/**
 * What is replaced, in this order: what follows a telling name, user names and queries in URLs, quoted values, and long
 * random words.
 */
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
 * Makes a text of unknown origin safe to log. It would rather lose too much: Redis quotes a command's arguments in its
 * errors, V8 quotes the JSON that it could not parse, and node quotes the argument that it refused.
 */
export function scrub(text: string): string {
  let scrubbed = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  if (scrubbed.length < 16 && !/[=:?@'"`]/.test(scrubbed)) return scrubbed;
  for (const [pattern, replacement] of SCRUBS) scrubbed = scrubbed.replace(pattern, replacement);
  return scrubbed;
}

/**
 * Returns what the log shows for a bucket. Its name is logged before anybody verified it, so only a plausible name is
 * shown.
 */
export function bucketField(bucket: string | undefined): string | undefined {
  if (bucket === undefined) return undefined;
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(bucket) ? bucket : '[invalid]';
}

/** The form of the codes in which stores refuse. Any other text there may hold something that the store was sent. */
const BACKEND_CODE = /^[A-Za-z]{1,40}\d{0,3}[A-Za-z]{0,20}$/;

/**
 * Returns the backend's status and code if the backend caused the error. They have fields of their own, because
 * scrubbing would take the code for a secret.
 */
export function backendFields(thrown: unknown): LogFields {
  const [refusal] = chainOf(thrown).filter((link) => link instanceof BackendRefusal);
  if (refusal === undefined) return {};
  const backendCode = BACKEND_CODE.test(refusal.code) ? refusal.code : undefined;
  return { backendStatus: refusal.status, ...(backendCode && { backendCode }) };
}

const MAX_CAUSES = 4;

/** Renders an error and its causes as `GatewayError BackendUnavailable: … < Error ECONNREFUSED: …`, scrubbed. */
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
  // The message of a syntax error quotes the text that did not parse, which may be a record's payload.
  const message = thrown instanceof SyntaxError ? '' : `: ${scrub(thrown.message)}`;
  return `${thrown.name}${code}${message}`;
}

const MAX_FRAMES = 8;

/** Tells where an unforeseen error came from: the frames of its stack, without the message on top. */
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
