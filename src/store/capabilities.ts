/**
 * What a store does as Amazon S3 documents it. Each is true where the store does; false stands for "it does not" and for
 * "nobody has found out", because the gateway must be as careful in either case.
 */
export interface Capabilities {
  /** A PutObject never replaces an object that its If-Match or If-None-Match protects. */
  readonly conditionalPuts: boolean;
  /** If-Match on PutObject holds for the ETag of the object that lies there. Ceph RGW 16 answers 412 to every ETag. */
  readonly matchesOwnEtag: boolean;
  /** A CompleteMultipartUpload never replaces an object that its If-Match or If-None-Match protects. */
  readonly conditionalCompletes: boolean;
  /** DeleteObject and DeleteObjects keep an object that If-Match names by another ETag. */
  readonly conditionalDeletes: boolean;
  /** An upload whose connection breaks off leaves what lay there. Where it does not, its beginning becomes the object. */
  readonly tornUploadsVanish: boolean;
  /** A CompleteMultipartUpload is acknowledged only if it made the object. */
  readonly truthfulCompletes: boolean;
  /** Of two CompleteMultipartUpload of one upload at the same time, one makes the object, and no part is lost. */
  readonly atomicCompletes: boolean;
  /** The answer to CompleteMultipartUpload tells the object's ETag. */
  readonly completeTellsEtag: boolean;
  /** An operation on an upload that does not exist is answered NoSuchUpload. */
  readonly namesUnknownUploads: boolean;
  /** A copy is refused when its source is no longer the one that x-amz-copy-source-if-match names. */
  readonly pinnedCopies: boolean;
  /** A 304 bears the ETag and the date of its object. */
  readonly namedNotModified: boolean;
  /** Keys are names: `.`, `..` and empty names between slashes mean nothing. Else they are paths of files. */
  readonly verbatimKeys: boolean;
  /** `/a` and `a` are two keys. */
  readonly distinctFirstSlash: boolean;
}

export type Capability = keyof Capabilities;

/** A store that does everything as Amazon S3 does. */
export const ALL_CAPABILITIES: Capabilities = {
  conditionalPuts: true,
  matchesOwnEtag: true,
  conditionalCompletes: true,
  conditionalDeletes: true,
  tornUploadsVanish: true,
  truthfulCompletes: true,
  atomicCompletes: true,
  completeTellsEtag: true,
  namesUnknownUploads: true,
  pinnedCopies: true,
  namedNotModified: true,
  verbatimKeys: true,
  distinctFirstSlash: true,
};

/** In the order in which they are told. */
export const CAPABILITY_NAMES = Object.keys(ALL_CAPABILITIES) as readonly Capability[];

/** The capabilities of which a test says that they hold. */
export function capabilitiesThat(holds: (name: Capability) => boolean): Capabilities {
  return Object.fromEntries(CAPABILITY_NAMES.map((name) => [name, holds(name)])) as unknown as Capabilities;
}

/**
 * What holds of a store of which nothing is known: the gateway relies on nothing. `matchesOwnEtag` alone is assumed,
 * because it decides whether a copy of an object onto itself bears a condition: with one such a copy can fail, and
 * without one it could undo somebody's write.
 */
export const CAREFUL_CAPABILITIES: Capabilities = capabilitiesThat((name) => name === 'matchesOwnEtag');

/** What the gateway knows of the store at hand. One object serves the whole process, and what it says may change. */
export interface StoreFindings {
  readonly capabilities: Capabilities;
}
