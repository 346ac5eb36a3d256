/**
 * The kinds of records. A record's name is `kind/id`. Its header has the kind as a byte, so that the payload's layout
 * is known before the record is opened; docs/keys.md lists both.
 */
export const RECORD_KINDS = {
  tenant: 1,
  credential: 2,
  ring: 3,
  'bucket-claims': 4,
  canary: 5,
  sidecar: 6,
  rules: 7,
} as const;

/**
 * Begins the names of what lies beside the records in Redis and is no record: the states of uploads (src/uploads/).
 * They change with every part and expire by themselves; listings and the watch leave them out.
 */
export const UPLOAD_STATE_PREFIX = 'upload/';

/** Begins the names of the index of ETags (src/etags/), which lies there too. It is a cache, and no record either. */
export const ETAG_INDEX_PREFIX = 'etag/';

/**
 * The name of the ledger, which lists what the store holds (ledger.ts). It is named like a canary, and has a canary's
 * field, because gateways of release 0.1 do not start when the store has a name that they do not know.
 */
export const LEDGER_NAME = 'canary/generations';

export type RecordKindName = keyof typeof RECORD_KINDS;

/**
 * The id after the slash is one segment without spaces or control bytes. Access keys are the longest ids, at 128
 * characters.
 */
const RECORD_ID = /^[A-Za-z0-9._-]{1,128}$/;

export function isRecordId(id: string): boolean {
  return RECORD_ID.test(id);
}

export function recordName(kind: RecordKindName, id: string): string {
  return `${kind}/${id}`;
}

/**
 * Splits a name into kind and id. Returns undefined if it names no record of this version, as other keys in the same
 * store.
 */
export function parseRecordName(name: string): { readonly kind: RecordKindName; readonly id: string } | undefined {
  const slash = name.indexOf('/');
  const kind = name.slice(0, Math.max(slash, 0));
  const id = name.slice(slash + 1);
  return isRecordKindName(kind) && isRecordId(id) ? { kind, id } : undefined;
}

function isRecordKindName(text: string): text is RecordKindName {
  return Object.hasOwn(RECORD_KINDS, text);
}
