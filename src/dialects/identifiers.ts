/**
 * Identifiers that go to a store are values of types of their own, which only a grammar of that store makes. What a
 * client sent is a string; `BackendDialect` renders none of those, so that the compiler proves that no identifier reaches a
 * request unread, in any operation and any dialect.
 */

declare const made: unique symbol;
type Made<Kind extends string> = string & { readonly [made]: Kind };

export type StoreBucket = Made<'bucket'>;
export type StoreKey = Made<'key'>;
export type StoreVersionId = Made<'version id'>;
export type StoreUploadId = Made<'upload id'>;
/** What a listing is cut by, or goes on from: no name of anything, but text that a store may take for one. */
export type StoreListingText = Made<'listing text'>;
export type StoreToken = Made<'continuation token'>;
export type StoreLocation = Made<'location'>;

/** The model's properties that are identifiers, wherever they stand. */
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

/** Any of them. */
export type Identifier = Identifiers[keyof Identifiers];

/** The properties that hold further ones. */
type Nest = 'ref' | 'source';

/** The same value with every identifier in it made by the store's grammar. */
export type ForStore<T> = {
  readonly [Name in keyof T]: Name extends keyof Identifiers
    ? Identifiers[Name] | Extract<T[Name], undefined>
    : Name extends Nest
      ? ForStore<T[Name]>
      : T[Name];
};

/** An object's place as a store is asked for it. */
export type StoreRef = ForStore<{
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}>;

/**
 * What a store takes for each identifier: an allow-list, a function each.
 * @throws GatewayError in each, the client's error: InvalidBucketName, InvalidObjectName, NoSuchUpload, InvalidArgument
 */
export type StoreGrammar = { readonly [Name in keyof Identifiers]: (text: string) => void };

/** What is known of the store at hand, beyond its dialect. */
export interface StoreNames {
  /**
   * `paths`: it keeps keys as paths of files, and may walk them. `names`: it keeps them as they are, whatever is between
   * their slashes.
   */
  readonly keys: 'paths' | 'names';
  /** Buckets that it has for purposes of its own, such as its administration; in lower case. */
  readonly reservedBuckets: ReadonlySet<string>;
}

/**
 * Reads every identifier of a value by the store's grammar. The value stays the same: a grammar refuses, and rewrites
 * nothing. An empty or absent part of a listing (a prefix, a marker) is none.
 * @throws GatewayError as the grammar
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
