import type { IncomingResponse } from '../wire/message.ts';

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

/** What a capability is called, and what the gateway does where it does not hold. */
export interface CapabilityWords {
  /** What the store has. */
  readonly what: string;
  /** What a store does that has it not: "a store that …". */
  readonly otherwise: string;
  /** What the gateway does then. */
  readonly without: string;
  /** The gateway does so over every store, for it costs nothing, or shows by itself when it is needed. */
  readonly always?: true;
}

export const CAPABILITY_WORDS: Readonly<Record<Capability, CapabilityWords>> = {
  conditionalPuts: {
    what: 'conditions on PutObject',
    otherwise: 'ignores conditions on PutObject',
    without: 'conditional uploads are refused with 501',
  },
  matchesOwnEtag: {
    what: 'If-Match that holds for an object’s own ETag',
    otherwise: 'never finds that If-Match holds on PutObject',
    without: 'a copy of an object onto itself bears no condition, and is made by way of a multipart upload',
  },
  conditionalCompletes: {
    what: 'conditions on CompleteMultipartUpload',
    otherwise: 'ignores conditions on CompleteMultipartUpload',
    without:
      'conditional Completes, conditional copies, and conditional uploads of unknown length that turn out larger than 8 MiB ' +
      'are refused with 501',
  },
  conditionalDeletes: {
    what: 'conditions on deletions',
    otherwise: 'ignores conditions on deletions',
    without: 'conditional deletions are refused with 501',
  },
  tornUploadsVanish: {
    what: 'uploads that vanish when they break off',
    otherwise: 'keeps what came of an upload that broke off',
    without: 'uploads of more than 128 KiB are gathered in pieces of 8 MiB, and become an object at the end alone',
  },
  truthfulCompletes: {
    what: 'Completes that are acknowledged only when they made the object',
    otherwise: 'acknowledges Completes that made nothing',
    without: 'the gateway looks what lies there before it acknowledges a Complete',
  },
  atomicCompletes: {
    what: 'several Completes of one upload at once',
    otherwise: 'may lose parts when two Completes of one upload meet',
    without: 'the Completes of one upload take turns, in each process',
  },
  completeTellsEtag: {
    what: 'Completes that tell the object’s ETag',
    otherwise: 'tells no ETag of a completed upload',
    without: 'the gateway tells the ETag that the parts make',
    always: true,
  },
  namesUnknownUploads: {
    what: 'NoSuchUpload for an upload that does not exist',
    otherwise: 'answers NoSuchKey for an upload that does not exist',
    without: 'NoSuchKey is told as NoSuchUpload',
    always: true,
  },
  pinnedCopies: {
    what: 'copies that hold to x-amz-copy-source-if-match',
    otherwise: 'copies whatever lies at the source',
    without: 'the gateway looks at the source once more, and copies again where it was replaced meanwhile',
    always: true,
  },
  namedNotModified: {
    what: 'a 304 that names its object',
    otherwise: 'answers a 304 that names nothing',
    without: 'the gateway judges conditions of reads itself, and tells ETag and date of what it saw',
    always: true,
  },
  verbatimKeys: {
    what: 'keys that are names and no paths',
    otherwise: 'makes paths of keys',
    without: 'keys with `.`, `..` or nothing between slashes are refused with 400',
  },
  distinctFirstSlash: {
    what: '`/a` and `a` as two keys',
    otherwise: 'drops the first slash of a key',
    without: 'an object opens under either name',
  },
};

/**
 * What holds of a store of which nothing is known: the gateway relies on nothing. `matchesOwnEtag` alone is assumed,
 * because it decides whether a copy of an object onto itself bears a condition: with one such a copy can fail, and
 * without one it could undo somebody's write.
 */
export const CAREFUL_CAPABILITIES: Capabilities = capabilitiesThat((name) => name === 'matchesOwnEtag');

/** What the gateway knows of the store at hand. One object serves the whole process, and what it says may change. */
export interface StoreFindings {
  readonly capabilities: Capabilities;
  /** Of which nobody has found out yet whether they hold: what is refused for one may be tried again in a moment. */
  readonly pending: readonly Capability[];
  /** Told of the head of every answer of the store, so that another store at the same address is noticed. */
  answered?(answer: IncomingResponse): void;
}
