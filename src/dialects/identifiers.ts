/**
 * Each identifier that goes to a store has a type of its own, and only a grammar of that store makes its values. What a
 * client sent is a string, and the rows of a `BackendDialect` render no strings. So the compiler proves that every
 * identifier was read by the store's grammar before it reached a request, in any operation and any dialect.
 */

declare const made: unique symbol;
type Made<Kind extends string> = string & { readonly [made]: Kind };

export type StoreBucket = Made<'bucket'>;
export type StoreKey = Made<'key'>;
export type StoreVersionId = Made<'version id'>;
export type StoreUploadId = Made<'upload id'>;
/** What a listing is cut by, or where it goes on. It names nothing, but a store may take it for a name. */
export type StoreListingText = Made<'listing text'>;
export type StoreToken = Made<'continuation token'>;
export type StoreLocation = Made<'location'>;

/** The properties of the model that are identifiers, wherever they stand. */
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

/** Any identifier. */
export type Identifier = Identifiers[keyof Identifiers];

/** The properties whose values hold further identifiers. */
type Nest = 'ref' | 'source';

/** The same value, every identifier in which the store's grammar has made. */
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
 * A function for each identifier, which refuses what the store does not take for one. Each is an allow-list.
 * @throws GatewayError in each, the client's error: InvalidBucketName, InvalidObjectName, NoSuchUpload, InvalidArgument
 */
export type StoreGrammar = { readonly [Name in keyof Identifiers]: (text: string) => void };

/** What decides which names a store takes, beyond its dialect. */
export interface StoreNames {
  /**
   * `paths`: it keeps keys as paths of files, and may walk them. `names`: it keeps them as they are, whatever is between
   * their slashes.
   */
  readonly keys: 'paths' | 'names';
  /** Buckets that the store keeps for purposes of its own, such as its administration; in lower case. */
  readonly reservedBuckets: ReadonlySet<string>;
}

/**
 * Reads every identifier of a value by the store's grammar. The value stays the same, because a grammar refuses and never
 * rewrites. An empty or absent prefix or marker of a listing is not read.
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
