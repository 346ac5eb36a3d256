import { clientError } from '../../errors.ts';
import type { ObjectLock, ObjectSettings, ObjectTraits, StorageClass, Tag } from '../../operations/object.ts';
import { parseIsoDate } from '../../wire/dates.ts';
import type { HeaderList } from '../../wire/headers.ts';
import { percentEncode } from '../../wire/percent.ts';
import { QueryList } from '../../wire/query.ts';

/* Reads and writes an object's neutral settings (ObjectTraits) as S3's headers (API reference, PutObject). */

const ACL = 'x-amz-acl';
const STORAGE_CLASS = 'x-amz-storage-class';
const TAGGING = 'x-amz-tagging';
const REDIRECT = 'x-amz-website-redirect-location';
const LOCK_MODE = 'x-amz-object-lock-mode';
const RETAIN_UNTIL = 'x-amz-object-lock-retain-until-date';
const LEGAL_HOLD = 'x-amz-object-lock-legal-hold';

type CannedAcl = NonNullable<ObjectTraits['acl']>;

/** The canned ACLs that other vendors have too. S3 has further ones, for bucket owners, which only S3 understands. */
const CANNED_ACLS: ReadonlySet<string> = new Set<CannedAcl>([
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
]);

const CLASSES: readonly (readonly [Extract<StorageClass, string>, string])[] = [
  ['standard', 'STANDARD'],
  ['infrequent-access', 'STANDARD_IA'],
  ['archive', 'GLACIER'],
  ['deep-archive', 'DEEP_ARCHIVE'],
];

/** A reader for each header. It sets the trait, and returns false for a value that no trait can express. */
const READERS: Readonly<Record<string, (value: string, traits: Writable) => boolean>> = {
  [ACL]: (value, traits) => {
    if (!CANNED_ACLS.has(value)) return false;
    traits.acl = value as CannedAcl;
    return true;
  },
  [STORAGE_CLASS]: (value, traits) => {
    traits.storageClass = CLASSES.find(([, word]) => word === value)?.[0] ?? { dialect: 's3', word: value };
    return true;
  },
  [TAGGING]: (value, traits) => {
    traits.tags = readTagging(value);
    return traits.tags !== undefined;
  },
  [REDIRECT]: (value, traits) => {
    traits.redirect = value;
    return true;
  },
  [LOCK_MODE]: (value, traits) => {
    const mode = { GOVERNANCE: 'governance', COMPLIANCE: 'compliance' }[value] as ObjectLock['mode'];
    traits.lock = { ...traits.lock, mode };
    return mode !== undefined;
  },
  [RETAIN_UNTIL]: (value, traits) => {
    const retainUntil = parseIsoDate(value);
    traits.lock = { ...traits.lock, retainUntil };
    return retainUntil !== undefined;
  },
  [LEGAL_HOLD]: (value, traits) => {
    traits.lock = { ...traits.lock, legalHold: value === 'ON' };
    return value === 'ON' || value === 'OFF';
  },
};

type Writable = { -readonly [Name in keyof ObjectTraits]: ObjectTraits[Name] };

const NO_SETTINGS: ObjectSettings = {};

/**
 * Reads what S3 headers say of an object's settings. `vendor` has the headers as they are, and `traits` has what can be
 * said in neutral words.
 * @param headers the vendor headers of a write, or of a store's answer
 */
export function settingsIn(headers: HeaderList): ObjectSettings {
  if (headers.size === 0) return NO_SETTINGS;
  const traits: Writable = {};
  const beyondTraits: string[] = [];
  headers.forEach((name, value) => {
    if (READERS[name]?.(value, traits) !== true) beyondTraits.push(name);
  });
  return { vendor: { dialect: 's3', headers, beyondTraits }, traits };
}

/** Reads the header of tags, which is written like a query. Returns undefined where it cannot be read. */
function readTagging(value: string): readonly Tag[] | undefined {
  try {
    return new QueryList(value).parameters.map((tag) => [tag.name, tag.value]);
  } catch {
    return undefined;
  }
}

/**
 * Appends the headers for an object's traits, except those headers that are there already.
 * @throws GatewayError NotImplemented for a storage class that only another vendor has
 */
export function appendTraits(headers: HeaderList, traits: ObjectTraits | undefined): void {
  if (traits === undefined) return;
  const { acl, storageClass, tags = [], lock, redirect } = traits;
  const append = (name: string, value: string | undefined) => {
    if (value !== undefined && !headers.has(name)) headers.append(name, value);
  };
  append(ACL, acl);
  append(STORAGE_CLASS, storageClass && classWord(storageClass));
  if (tags.length > 0) append(TAGGING, taggingOf(tags));
  append(REDIRECT, redirect);
  append(LOCK_MODE, lock?.mode?.toUpperCase());
  append(RETAIN_UNTIL, lock?.retainUntil?.toISOString());
  append(LEGAL_HOLD, lock?.legalHold === undefined ? undefined : lock.legalHold ? 'ON' : 'OFF');
}

/** Writes tags as S3's header x-amz-tagging has them: like a query. */
export function taggingOf(tags: readonly Tag[]): string {
  return tags.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join('&');
}

function classWord(storageClass: StorageClass): string {
  if (typeof storageClass !== 'string') {
    if (storageClass.dialect === 's3') return storageClass.word;
    throw clientError('NotImplemented', 'The store behind this gateway does not have this storage class.');
  }
  return CLASSES.find(([name]) => name === storageClass)?.[1] ?? 'STANDARD';
}

/**
 * Appends to an answer what a store of another dialect tells of an object's settings. The answer of an S3 store needs
 * nothing more, because its vendor headers are passed on as they are.
 */
export function appendToldTraits(headers: HeaderList, { vendor, traits }: ObjectSettings): void {
  if (traits === undefined || vendor?.dialect === 's3') return;
  const { storageClass, lock, redirect } = traits;
  const foreign = typeof storageClass === 'object' && storageClass.dialect !== 's3';
  // S3 sends no x-amz-storage-class for an object of the class STANDARD.
  const told = storageClass === 'standard' || foreign ? undefined : storageClass;
  appendTraits(headers, { storageClass: told, lock, redirect });
}

/** The storage class as GetObjectAttributes tells it, STANDARD where S3 has no word for the store's. */
export function storageClassIn({ traits }: ObjectSettings): string {
  const { storageClass = 'standard' } = traits ?? {};
  return typeof storageClass !== 'string' && storageClass.dialect !== 's3' ? 'STANDARD' : classWord(storageClass);
}
