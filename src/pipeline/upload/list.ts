import type { ListedPart, ListedUpload, PartListing, UploadListing } from '../../operations/answer.ts';
import type { ListMultipartUploads, ListParts } from '../../operations/listing.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';
import type { OperationContext } from '../context.ts';
import { partEtag } from '../etags/part-etag.ts';
import { plainEtag } from '../etags/shown-etag.ts';
import { noSuchUpload, type ReadUpload, stateIdOf, withUpload } from './state.ts';

/** How many uploads a listing looks up at a time. */
const STATES_AT_ONCE = 64;

/**
 * After how many seconds an upload without a state is listed. Such an upload either belongs to the gateway, which
 * stores a body of unknown length or a copy by it, or it is an orphan whose state was lost. The gateway's own uploads
 * end within a day. So older ones are orphans, and they are listed so that somebody can abort them.
 */
const ORPHAN_SECONDS = 86_400;

/**
 * Carries out ListParts. It lists the parts that a Complete may name: a part must have a record in the state, and be
 * where its record says.
 * @throws GatewayError NoSuchUpload, KeyStoreUnavailable, and what the store throws
 */
export function listParts(operation: ListParts, context: OperationContext): Promise<PartListing> {
  return withUpload(operation, context, (upload) => listPartsOf(operation, upload, context));
}

async function listPartsOf(
  operation: ListParts,
  upload: ReadUpload | undefined,
  context: OperationContext,
): Promise<PartListing> {
  if (upload?.completed !== undefined || (upload === undefined && !context.formats.write.asSent)) {
    throw noSuchUpload(operation, context);
  }
  const found =
    upload === undefined ? await plainParts(operation, context) : await sealedParts(operation, upload, context);
  const parts = found.parts.slice(0, operation.maxParts);
  return {
    kind: 'PartListing',
    asked: operation,
    owner: ownerOf(context),
    parts,
    truncated: operation.maxParts > 0 && (found.truncated || found.parts.length > parts.length),
    checksum: upload?.header.checksum,
  };
}

/** The parts after the marker, in the order of their numbers. */
interface FoundParts {
  /** They may be more than were asked for: that shows that the listing is truncated. */
  readonly parts: readonly ListedPart[];
  /** Whether there are more parts than these. */
  readonly truncated: boolean;
}

/**
 * Finds the parts of a sealed upload. Where a part was sent several times, it is the last attempt that is where its
 * record says.
 */
async function sealedParts(
  { partNumberMarker, maxParts }: ListParts,
  upload: ReadUpload,
  context: OperationContext,
): Promise<FoundParts> {
  const attempts = Map.groupBy(upload.parts, ({ partNumber }) => partNumber);
  const numbers = [...attempts.keys()].filter((number) => number > partNumberMarker).sort((one, other) => one - other);
  const parts: ListedPart[] = [];
  let at = 0;
  do {
    const some = numbers.slice(at, at + maxParts + 1);
    const range = { after: (some[0] ?? partNumberMarker + 1) - 1, until: some.at(-1) ?? 0 };
    const held = await backendParts(upload, range, context);
    for (const number of some) {
      const there = attemptThere(attempts.get(number) ?? [], held.get(number));
      if (there !== undefined) parts.push(shown(there, context));
    }
    at += some.length;
  } while (at < numbers.length && parts.length <= maxParts);
  return { parts, truncated: false };
}

/**
 * Finds the attempt at a part that counts: the last one that is where its record says.
 * @param attempts in the order in which they were sent
 * @param held the ETag of the backend's part of this number, unquoted; undefined where it has none
 */
export function attemptThere(attempts: readonly PartRecord[], held: string | undefined): PartRecord | undefined {
  return attempts.findLast((record) => record.staged || record.etag === held);
}

/**
 * Lists the parts of the backend's upload. It always sends a request, because only the backend knows whether the upload
 * still exists.
 * @param range the first number is greater than `after`; the listing may stop once it has reached `until`
 * @returns the backend's ETags by part number, unquoted; '' for a part that the backend lists without an ETag
 * @throws GatewayError NoSuchUpload
 */
export async function backendParts(
  { proven }: Pick<ReadUpload, 'proven'>,
  { after, until }: { readonly after: number; readonly until: number },
  { store, signal }: OperationContext,
): Promise<Map<number, string>> {
  const held = new Map<number, string>();
  const pageAfter = (marker: number) => store.uploads.listParts(proven, marker, signal);
  let page = await pageAfter(after);
  // MinIO lists nothing if the marker is not the number of a part, even where parts follow. Then all of them are
  // listed.
  if (after > 0 && page.parts.length === 0) page = await pageAfter(0);
  for (;;) {
    for (const { partNumber, etag } of page.parts) held.set(partNumber, etag);
    const last = page.parts.at(-1)?.partNumber;
    if (!page.truncated || last === undefined || last >= until) return held;
    page = await pageAfter(last);
  }
}

async function plainParts(
  operation: ListParts,
  { knownUploads, store, policy, signal }: OperationContext,
): Promise<FoundParts> {
  const upload = await knownUploads.prove(operation, store, signal);
  const { parts, truncated } = await store.uploads.listParts(upload, operation.partNumberMarker, signal);
  return {
    parts: parts.flatMap(({ partNumber, etag, storedBytes, lastModified }) => {
      if (etag === '') return [];
      return {
        partNumber,
        etag: plainEtag(etag, policy),
        plaintextBytes: storedBytes,
        lastModified,
        checksum: undefined,
      };
    }),
    truncated,
  };
}

function shown(part: PartRecord, { policy }: OperationContext): ListedPart {
  const { partNumber, plaintextBytes, storedAt, checksum, crc64 } = part;
  return { partNumber, etag: partEtag(part, policy), plaintextBytes, lastModified: storedAt, checksum, crc64 };
}

/** Carries out ListMultipartUploads: lists the backend's uploads, without those that the gateway began for itself. */
export async function listUploads(operation: ListMultipartUploads, context: OperationContext): Promise<UploadListing> {
  const { store, signal } = context;
  const listing = await store.uploads.list(operation, signal);
  return {
    kind: 'UploadListing',
    asked: operation,
    owner: ownerOf(context),
    uploads: await uploadsOfClients(operation.bucket, listing.uploads, context),
    commonPrefixes: listing.commonPrefixes,
    truncated: listing.truncated,
    nextKeyMarker: listing.nextKeyMarker,
    nextUploadIdMarker: listing.nextUploadIdMarker,
  };
}

/** The uploads that clients began, and orphans that are old enough (see `ORPHAN_SECONDS`). */
async function uploadsOfClients(
  bucket: string,
  listed: readonly ListedUpload[],
  context: OperationContext,
): Promise<ListedUpload[]> {
  if (context.formats.write.asSent) return [...listed];
  const { now, uploads } = context;
  const orphanBefore = now().getTime() - ORPHAN_SECONDS * 1000;
  const own: ListedUpload[] = [];
  for (let at = 0; at < listed.length; at += STATES_AT_ONCE) {
    const some = listed.slice(at, at + STATES_AT_ONCE);
    const states = await Promise.all(
      some.map(({ key, uploadId }) => uploads.header(stateIdOf({ ref: { bucket, key }, uploadId }, context))),
    );
    own.push(
      ...some.filter((upload, index) => states[index] !== undefined || upload.initiated.getTime() < orphanBefore),
    );
  }
  return own;
}

function ownerOf({ tenant }: OperationContext): PartListing['owner'] {
  return { id: tenant.name, displayName: tenant.name };
}
