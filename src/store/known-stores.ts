import type { IncomingResponse } from '../wire/message.ts';
import { ALL_CAPABILITIES, ASSUMED_CAPABILITIES, type Capabilities } from './capabilities.ts';

/** The headers of an answer that tell which program the store is. They prove nothing. Absent headers are empty. */
export interface StoreSigns {
  /** The header Server. */
  readonly server: string;
  /** The header x-amz-request-id. */
  readonly requestId: string;
}

/** Returns the signs in the head of an answer. */
export function signsOf({ headers }: IncomingResponse): StoreSigns {
  return { server: headers.get('server') ?? '', requestId: headers.get('x-amz-request-id') ?? '' };
}

/** A store that the gateway knows. Another one is added as a row of KNOWN_STORES. */
export interface KnownStore {
  /** The store's name, which is also a metric's label. */
  readonly name: string;
  /** The name as its vendor writes it. */
  readonly title: string;
  /** The version that was tested; undefined if nobody tests the gateway with this store. */
  readonly version?: string;
  /** When or how it was tested. */
  readonly tested: string;
  isNamedBy(signs: StoreSigns): boolean;
  readonly capabilities: Capabilities;
}

const AWS: KnownStore = {
  name: 'aws',
  title: 'Amazon S3',
  tested: 'by its documentation alone',
  isNamedBy: ({ server }) => server === 'AmazonS3',
  // Its API reference says that the date can change with the bucket's policy.
  capabilities: { ...ALL_CAPABILITIES, lastingBucketDates: false },
};

const MINIO: KnownStore = {
  name: 'minio',
  title: 'MinIO',
  version: 'RELEASE.2026-02-12 (commit 7aac2a2c5b7c)',
  tested: 'with every change',
  isNamedBy: ({ server }) => server === 'MinIO',
  capabilities: { ...ALL_CAPABILITIES, conditionalDeletes: false, verbatimKeys: false, distinctFirstSlash: false },
};

const VERSITY: KnownStore = {
  name: 'versitygw',
  title: 'Versity S3 Gateway, posix backend',
  version: '1.8.0',
  tested: 'with every change',
  isNamedBy: ({ server }) => server === 'VERSITYGW',
  capabilities: {
    ...ALL_CAPABILITIES,
    conditionalDeletes: false,
    tornUploadsVanish: false,
    truthfulCompletes: false,
    atomicCompletes: false,
    namedNotModified: false,
    verbatimKeys: false,
    distinctFirstSlash: false,
    lastingBucketDates: false,
    heedsEncryption: false,
  },
};

/** Matches `tx00000c1a2b…-0065a1b2c3-1036-default`: a transaction, a time, a gateway and its zone. */
const CEPH_REQUEST_ID = /^tx[0-9a-f]{12,}-[0-9a-f]{8,}-[0-9a-f]+-/;

const CEPH: KnownStore = {
  name: 'ceph',
  title: 'Ceph Object Gateway (RGW)',
  version: '16.2.15 (Debian 12)',
  tested: '2026-11-25, `npm run test:ceph`',
  isNamedBy: ({ server, requestId }) => server.startsWith('Ceph Object Gateway') || CEPH_REQUEST_ID.test(requestId),
  capabilities: {
    ...ALL_CAPABILITIES,
    matchesOwnEtag: false,
    conditionalCompletes: false,
    conditionalDeletes: false,
    completeTellsEtag: false,
    namesUnknownUploads: false,
    pinnedCopies: false,
    namedNotModified: false,
    // Nobody has found out.
    heedsEncryption: false,
  },
};

/**
 * The embedded store. A gateway with `backend.directory` runs it itself, and so knows for certain which store it has.
 */
export const EMBEDDED_STORE: KnownStore = {
  name: 'embedded',
  title: 'the embedded store',
  version: 'of the same release',
  tested: 'with every change',
  isNamedBy: ({ server }) => server === 'sealgate-devstore',
  capabilities: ALL_CAPABILITIES,
};

/** Every store that the gateway knows; docs/stores.md has them as a table. */
export const KNOWN_STORES: readonly KnownStore[] = [AWS, MINIO, VERSITY, CEPH, EMBEDDED_STORE];

/** What is assumed about every other store, and about one that cannot be tried, until it was seen to do better. */
export const UNKNOWN_STORE: KnownStore = {
  name: 'unknown',
  title: 'an unknown store',
  tested: 'never',
  isNamedBy: () => false,
  capabilities: ASSUMED_CAPABILITIES,
};
