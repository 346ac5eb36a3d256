import type { IncomingResponse } from '../wire/message.ts';

/**
 * What a store does as Amazon S3 documents it. A capability is true if the store does so. It is false if the store does
 * not, or if nobody has found out, because the gateway must do the same in both cases.
 */
export interface Capabilities {
  /** A PutObject never replaces an object that its If-Match or If-None-Match protects. */
  readonly conditionalPuts: boolean;
  /** If-Match on PutObject holds for the ETag of the current object. Ceph RGW 16 answers 412 to every ETag. */
  readonly matchesOwnEtag: boolean;
  /** A CompleteMultipartUpload never replaces an object that its If-Match or If-None-Match protects. */
  readonly conditionalCompletes: boolean;
  /** DeleteObject and DeleteObjects keep the object if its ETag is not the one in If-Match. */
  readonly conditionalDeletes: boolean;
  /** An upload whose connection breaks off leaves the object before it. If false, what arrived replaces that object. */
  readonly tornUploadsVanish: boolean;
  /** A CompleteMultipartUpload is acknowledged only if it made the object. */
  readonly truthfulCompletes: boolean;
  /** If two CompleteMultipartUpload requests for one upload meet, one of them makes the object, and no part is lost. */
  readonly atomicCompletes: boolean;
  /** The answer to CompleteMultipartUpload contains the object's ETag. */
  readonly completeTellsEtag: boolean;
  /** An operation on an upload that does not exist is answered with NoSuchUpload. */
  readonly namesUnknownUploads: boolean;
  /** A copy is refused if its source is no longer the object that x-amz-copy-source-if-match names. */
  readonly pinnedCopies: boolean;
  /** A 304 has the ETag and the date of its object. */
  readonly namedNotModified: boolean;
  /**
   * Keys are names, so that `.`, `..` and empty names between slashes mean nothing. If false, keys are paths of files.
   */
  readonly verbatimKeys: boolean;
  /** `/a` and `a` are two keys. */
  readonly distinctFirstSlash: boolean;
  /** The date that a listing of buckets tells of a bucket is that of its making, and never changes. */
  readonly lastingBucketDates: boolean;
  /** An object that the store is asked to encrypt by itself is encrypted or refused, and never stored in clear. */
  readonly heedsEncryption: boolean;
}

export type Capability = keyof Capabilities;

/** A store that does everything of this list. Amazon S3 itself lacks only lasting dates of buckets. */
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
  lastingBucketDates: true,
  heedsEncryption: true,
};

/** The names of all capabilities, in the order in which they are shown. */
export const CAPABILITY_NAMES = Object.keys(ALL_CAPABILITIES) as readonly Capability[];

/** Makes capabilities of a test that says which of them hold. */
export function capabilitiesThat(holds: (name: Capability) => boolean): Capabilities {
  return Object.fromEntries(CAPABILITY_NAMES.map((name) => [name, holds(name)])) as unknown as Capabilities;
}

/** What operators are told about a capability, and about what the gateway does if it does not hold. */
export interface CapabilityWords {
  /** What the store has. */
  readonly what: string;
  /** What a store without it does; it continues "a store that …". */
  readonly otherwise: string;
  /** What the gateway does without it. */
  readonly without: string;
  /**
   * The gateway does so over every store, because it costs nothing, or because it shows by itself when it is needed.
   */
  readonly always?: true;
  /** No request waits until it is found out, and for its sake alone the store is not tried. */
  readonly aside?: true;
}

/** The words for each capability in the log, in `sealgate check` and in docs/stores.md. */
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
      'conditional Completes, conditional copies, and conditional uploads of unknown length that turn out larger ' +
      'than 8 MiB are refused with 501',
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
  lastingBucketDates: {
    what: 'dates of buckets that never change',
    otherwise: 'tells another date of a bucket when something in it changes',
    without: 'a bucket that was deleted and made again past the gateway keeps the default encryption of the one before',
    aside: true,
  },
  heedsEncryption: {
    what: 'encryption that is done or refused where it is asked for',
    otherwise: 'ignores what it is asked of encryption',
    without: 'writes to buckets whose policy leaves encryption to the store (`inject`) are refused with 502',
    aside: true,
  },
};

/**
 * What the gateway assumes about a store of which it knows nothing: it relies on nothing. Only two are assumed to hold.
 * `matchesOwnEtag` decides whether a copy of an object onto itself has a condition: with one, such a copy may fail;
 * without one, it could undo somebody's write. `heedsEncryption` is found out with each write, too
 * (encrypting/verified-write.ts).
 */
export const ASSUMED_CAPABILITIES: Capabilities = capabilitiesThat(
  (name) => name === 'matchesOwnEtag' || name === 'heedsEncryption',
);

/** What the gateway knows about its store. One object serves the whole process, and what it says may change. */
export interface StoreFindings {
  readonly capabilities: Capabilities;
  /**
   * The capabilities that are still being found out. A request that is refused because of one of them may succeed in a
   * moment.
   */
  readonly pending: readonly Capability[];
  /** Is called with the head of every answer of the store, so that another store at the same address is noticed. */
  answered?(answer: IncomingResponse): void;
}
