/**
 * Each identifier that is sent to a store has a type of its own, and only the store's grammar makes values of that
 * type. What a client sent is a plain string, which the rows of a `BackendDialect` do not accept. So the compiler
 * proves that the grammar has checked every identifier before it stands in a request, in every operation and every
 * dialect.
 */

declare const made: unique symbol;
type Made<Kind extends string> = string & { readonly [made]: Kind };

export type StoreBucket = Made<'bucket'>;
export type StoreKey = Made<'key'>;
export type StoreVersionId = Made<'version id'>;
export type StoreUploadId = Made<'upload id'>;
/** A prefix, delimiter or marker of a listing. It need not name an object, but a store may treat it as a name. */
export type StoreListingText = Made<'listing text'>;
export type StoreToken = Made<'continuation token'>;
export type StoreLocation = Made<'location'>;

/** The names of properties that hold an identifier in every question to a store, with the type of each. */
interface Identifiers {
  readonly bucket: StoreBucket;
  readonly key: StoreKey;
  readonly versionId: StoreVersionId;
  readonly uploadId: StoreUploadId;
  readonly prefix: StoreListingText;
  readonly delimiter: StoreListingText;
  readonly after: StoreListingText;
  readonly keyMarker: StoreListingText;
  readonly versionIdMarker: StoreVersionId;
  readonly uploadIdMarker: StoreUploadId;
  readonly continuationToken: StoreToken;
  readonly location: StoreLocation;
}

export type Identifier = Identifiers[keyof Identifiers];

/** The properties whose values hold further identifiers. */
type Nest = 'ref' | 'source';

/** The type T after the store's grammar has checked it: its identifiers have the types above. */
export type ForStore<T> = {
  readonly [Name in keyof T]: Name extends keyof Identifiers
    ? Identifiers[Name] | Extract<T[Name], undefined>
    : Name extends Nest
      ? ForStore<T[Name]>
      : T[Name];
};

/** An object's bucket, key and version, as they stand in a request to a store. */
export type StoreRef = ForStore<{
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}>;

/**
 * One function for each identifier, which throws for every text that the store does not take as such an identifier.
 * Each is an allow-list: what it does not know to be harmless, it refuses.
 * @throws GatewayError from each function, as an error of the client: InvalidBucketName, InvalidObjectName,
 *   NoSuchUpload, InvalidArgument
 */
export type StoreGrammar = { readonly [Name in keyof Identifiers]: (text: string) => void };

/** How a particular store treats names. Its grammar depends on it, and not on the dialect alone. */
export interface StoreNames {
  /**
   * `paths` where the store keeps keys as paths of files, so that `..` may lead elsewhere. `names` where it keeps keys
   * as they are, whatever stands between their slashes.
   */
  readonly keys: 'paths' | 'names';
  /** Names of buckets that the store reserves for itself, for example for its administration; in lower case. */
  readonly reservedBuckets: ReadonlySet<string>;
}

/**
 * Has the store's grammar check every identifier in a question to the store, and returns the same value with the type
 * that says so. A grammar refuses, and never rewrites. Absent identifiers, and empty prefixes, delimiters and markers
 * of listings, need no check.
 * @throws GatewayError what the grammar throws
 */
export function madeBy<T extends object>(grammar: StoreGrammar, asked: T): ForStore<T> {
  for (const name in asked) {
    const value: unknown = asked[name];
    if (value === undefined) continue;
    if (Object.hasOwn(grammar, name)) {
      const text = String(value);
      if (text !== '' || !MAY_BE_EMPTY.has(name)) grammar[name as unknown as keyof StoreGrammar](text);
    } else if ((name as string) === 'ref' || (name as string) === 'source') {
      madeBy(grammar, value as object);
    }
  }
  return asked as ForStore<T>;
}

const MAY_BE_EMPTY: ReadonlySet<string> = new Set<keyof StoreGrammar>([
  'prefix',
  'delimiter',
  'after',
  'keyMarker',
  'versionIdMarker',
  'uploadIdMarker',
]);
