import type { ObjectSettings, ObjectTraits, StorageClass, Tag } from '../../operations/object.ts';
import { HeaderList } from '../../wire/headers.ts';
import { QueryList } from '../../wire/query.ts';

/* Reads and writes an object's neutral settings (ObjectTraits) as COS's headers (API reference, PUT Object). */

export const ACL = 'x-cos-acl';
const STORAGE_CLASS = 'x-cos-storage-class';
const TAGGING = 'x-cos-tagging';

/** The headers for settings that the store keeps with an object. Sealing does not change them. */
export const TRAIT_HEADERS: ReadonlySet<string> = new Set([ACL, STORAGE_CLASS, TAGGING]);

const CLASSES: readonly (readonly [Extract<StorageClass, string>, string])[] = [
  ['standard', 'STANDARD'],
  ['infrequent-access', 'STANDARD_IA'],
  ['archive', 'ARCHIVE'],
  ['deep-archive', 'DEEP_ARCHIVE'],
];

type Writable = { -readonly [Name in keyof ObjectTraits]: ObjectTraits[Name] };

/** A reader for each header. It sets the trait, and returns false for a value that no trait can express. */
const READERS: Readonly<Record<string, (value: string, traits: Writable) => boolean>> = {
  [ACL]: (value, traits) => {
    // The ACL `default` is that of the bucket, which is what an object has that no ACL was given.
    if (value === 'default') return true;
    if (value !== 'private' && value !== 'public-read' && value !== 'authenticated-read') return false;
    traits.acl = value;
    return true;
  },
  [STORAGE_CLASS]: (value, traits) => {
    traits.storageClass = CLASSES.find(([, word]) => word === value)?.[0] ?? { dialect: 'cos', word: value };
    return true;
  },
  [TAGGING]: (value, traits) => {
    traits.tags = readTags(value);
    return traits.tags !== undefined;
  },
};

const NO_SETTINGS: ObjectSettings = {};

/** Reads what the headers of a write say of an object's settings. An empty one says nothing. */
export function settingsIn(headers: HeaderList): ObjectSettings {
  const traits: Writable = {};
  const beyondTraits: string[] = [];
  const vendor = new HeaderList();
  headers.forEach((name, value, raw) => {
    if (!TRAIT_HEADERS.has(name) || value === '') return;
    vendor.append(raw, value);
    if (READERS[name]?.(value, traits) !== true) beyondTraits.push(name);
  });
  return vendor.size === 0 ? NO_SETTINGS : { vendor: { dialect: 'cos', headers: vendor, beyondTraits }, traits };
}

/** Reads the header of tags, which is written like a query. Returns undefined where it cannot be read. */
function readTags(value: string): readonly Tag[] | undefined {
  try {
    return new QueryList(value).parameters.map((tag) => [tag.name, tag.value]);
  } catch {
    return undefined;
  }
}

/** The storage class as COS tells it, STANDARD where it has no word for the store's. */
export function storageClassIn({ traits }: ObjectSettings): string {
  const { storageClass = 'standard' } = traits ?? {};
  if (typeof storageClass !== 'string') return storageClass.dialect === 'cos' ? storageClass.word : 'STANDARD';
  return CLASSES.find(([name]) => name === storageClass)?.[1] ?? 'STANDARD';
}
