import { createHash } from 'node:crypto';
import { canCombine, checksumOfParts } from '../../checksums/whole-object.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { UploadContents } from '../../formats/format.ts';
import type { Checksum } from '../../operations/object.ts';
import type { CompleteMultipartUpload, NamedPart } from '../../operations/operation.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';
import type { OperationContext } from '../context.ts';
import { partEtag, partEtags } from '../etags/part-etag.ts';
import { attemptThere, backendParts } from './list.ts';
import type { ReadUpload } from './state.ts';

/**
 * Finds the parts that a CompleteMultipartUpload names by number and ETag. A client may have sent a part several
 * times; each of these attempts has a record, and as in S3 the last one counts, which is meant without an ETag, too.
 * An earlier one that is named is refused, unless it has the same bytes. Parts that the client does not name do not
 * become part of the object.
 * @throws GatewayError InvalidPartOrder, InvalidPart, EntityTooSmall, and what listing the backend's parts throws
 */
export async function chosenParts(
  operation: CompleteMultipartUpload,
  upload: ReadUpload,
  context: OperationContext,
): Promise<PartRecord[]> {
  let last = 0;
  for (const { partNumber } of operation.parts) {
    if (partNumber <= last) {
      throw clientError(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. The parts must be ordered by number.',
      );
    }
    last = partNumber;
  }
  const recorded = await attemptsByName(operation, upload, context);
  const unnamed = await attemptsByNumber(operation, upload, context);
  const attempts = Map.groupBy(upload.parts, ({ partNumber }) => partNumber);
  const chosen = operation.parts.map((named) => {
    const { partNumber, etag } = named;
    const record = etag === undefined ? unnamed.get(partNumber) : recorded.get(nameOf(partNumber, etag));
    if (record === undefined) throw missingPart(named, upload.uploadId);
    if (etag !== undefined && isReplaced(record, attempts.get(partNumber))) throw missingPart(named, upload.uploadId);
    refuseOtherChecksum(named, record);
    return record;
  });
  const small = chosen.slice(0, -1).find((part) => part.plaintextBytes < operation.smallestPartBytes);
  if (small !== undefined) throw partTooSmall(small, operation.smallestPartBytes, context);
  return chosen;
}

/**
 * The attempts by the names (number and ETag) that the client may use for them. Where ETags are MD5s, a part that was
 * sent twice with the same bytes has two attempts of one name. The backend kept only the one that reached it last, and
 * that one is meant, so the backend is asked which it has.
 */
async function attemptsByName(
  operation: CompleteMultipartUpload,
  upload: ReadUpload,
  context: OperationContext,
): Promise<ReadonlyMap<string, PartRecord>> {
  const recorded = new Map<string, PartRecord>();
  const again = new Map<string, PartRecord[]>();
  for (const record of upload.parts) {
    for (const etag of partEtags(record, context.policy)) {
      const name = nameOf(record.partNumber, etag);
      const before = recorded.get(name);
      recorded.set(name, record);
      if (before !== undefined && !record.staged) again.set(name, [...(again.get(name) ?? [before]), record]);
    }
  }
  const asked = namesIn(operation).filter(({ partNumber, etag }) => again.has(nameOf(partNumber, etag)));
  const [first, last] = [asked[0], asked.at(-1)];
  if (first === undefined || last === undefined) return recorded;
  const range = { after: first.partNumber - 1, until: last.partNumber };
  const held = await backendParts(upload, range, context).catch(undefinedIfMayNotList);
  for (const { partNumber, etag } of asked) {
    const name = nameOf(partNumber, etag);
    const there = again.get(name)?.findLast((record) => record.etag === held?.get(partNumber));
    if (there !== undefined) recorded.set(name, there);
  }
  return recorded;
}

/** The parts that are named by an ETag, too. */
function namesIn({
  parts,
}: CompleteMultipartUpload): readonly { readonly partNumber: number; readonly etag: string }[] {
  return parts.flatMap(({ partNumber, etag }) => (etag === undefined ? [] : { partNumber, etag }));
}

/**
 * The attempts that are meant by numbers without an ETag: of each part the last that is there. Where a part was sent
 * once, it is that, and the backend is not asked.
 */
async function attemptsByNumber(
  operation: CompleteMultipartUpload,
  upload: ReadUpload,
  context: OperationContext,
): Promise<ReadonlyMap<number, PartRecord>> {
  const numbers = new Set(operation.parts.flatMap(({ partNumber, etag }) => (etag === undefined ? partNumber : [])));
  const attempts = Map.groupBy(
    upload.parts.filter(({ partNumber }) => numbers.has(partNumber)),
    ({ partNumber }) => partNumber,
  );
  const again = [...attempts.keys()].filter((number) => (attempts.get(number)?.length ?? 0) > 1);
  const range = { after: Math.min(...again) - 1, until: Math.max(...again) };
  const held = again.length === 0 ? undefined : await backendParts(upload, range, context).catch(undefinedIfMayNotList);
  const meant = new Map<number, PartRecord>();
  for (const [number, ofPart] of attempts) {
    const there = held === undefined ? ofPart.at(-1) : attemptThere(ofPart, held.get(number));
    const only = ofPart.length === 1 ? ofPart[0] : there;
    if (only !== undefined) meant.set(number, only);
  }
  return meant;
}

/**
 * Where the requester may not list parts, the attempt that was recorded last is taken. Where the upload is over, the
 * backend's Complete will say so.
 */
function undefinedIfMayNotList(error: unknown): undefined {
  if (error instanceof GatewayError && (error.code === 'AccessDenied' || error.code === 'NoSuchUpload'))
    return undefined;
  throw error;
}

/**
 * Whether a part was sent again with other bytes after this attempt. Where both attempts are in the backend's upload,
 * its Complete says so. A staged attempt stays where it is when it is replaced, and the backend knows nothing of it.
 * @param attempts all attempts at the part, in the order in which they were recorded
 */
function isReplaced(record: PartRecord, attempts: readonly PartRecord[] = []): boolean {
  const later = attempts.slice(attempts.indexOf(record) + 1);
  return later.some((other) => (other.staged || record.staged) && !haveSameBytes(record, other));
}

/** Whether two attempts are known to have the same bytes, as those of a client that missed the first answer have. */
function haveSameBytes(one: PartRecord, other: PartRecord): boolean {
  if (one.plaintextBytes !== other.plaintextBytes) return false;
  if (one.md5 !== undefined && other.md5 !== undefined) return one.md5.equals(other.md5);
  const [sum, otherSum] = [one.checksum, other.checksum];
  return sum !== undefined && sum.algorithm === otherSum?.algorithm && sum.value.equals(otherSum.value);
}

function nameOf(partNumber: number, etag: string): string {
  return `${partNumber} ${etag}`;
}

/** Makes the error InvalidPart, after which clients send the part again. */
export function missingPart(
  { partNumber, etag }: Pick<NamedPart, 'partNumber' | 'etag'>,
  uploadId: string,
): GatewayError {
  return clientError(
    'InvalidPart',
    `Part ${partNumber} could not be found, or its ETag is another one. Send the part again.`,
    { details: { UploadId: uploadId, PartNumber: String(partNumber), ETag: etag ?? '' } },
  );
}

function partTooSmall(part: PartRecord, smallestBytes: number, { policy }: OperationContext): GatewayError {
  const { partNumber, plaintextBytes } = part;
  return clientError(
    'EntityTooSmall',
    `Your proposed upload is smaller than the minimum allowed size: part ${partNumber} has ${plaintextBytes} bytes, ` +
      `and all but the last need ${smallestBytes}.`,
    {
      details: {
        ProposedSize: String(plaintextBytes),
        MinSizeAllowed: String(smallestBytes),
        PartNumber: String(partNumber),
        ETag: partEtag(part, policy),
      },
    },
  );
}

function refuseOtherChecksum({ partNumber, etag, checksum }: NamedPart, record: PartRecord): void {
  if (checksum === undefined) return;
  const known = record.checksum;
  if (known?.algorithm === checksum.algorithm && known.value.equals(checksum.value)) return;
  const reason = known?.algorithm === checksum.algorithm ? 'is another one' : 'was not given when it was uploaded';
  throw clientError(
    'InvalidPart',
    `The ${checksum.algorithm} checksum of part ${partNumber} ${reason}. Send the part again.`,
    { details: { PartNumber: String(partNumber), ETag: etag ?? '' } },
  );
}

/**
 * Computes the object's checksum from those of the parts, by the algorithm and type that the upload was begun with, and
 * compares it with the one that the client sent. undefined where the upload has none.
 * @throws GatewayError BadDigest where the checksums differ; InvalidRequest for another algorithm, type or object
 *   length
 */
export async function checksumOfObject(
  operation: CompleteMultipartUpload,
  upload: ReadUpload,
  parts: readonly PartRecord[],
): Promise<Checksum | undefined> {
  refuseOtherLength(operation, parts);
  const asked = upload.header.checksum ?? askedAtTheEnd(operation, parts);
  const claimed = operation.checksum;
  if (asked === undefined) {
    if (claimed === undefined) return undefined;
    throw clientError(
      'InvalidRequest',
      `The object's ${claimed.algorithm} cannot be checked: the upload was begun without a checksum algorithm, ` +
        'or its parts were sent without that checksum.',
    );
  }
  if (operation.composite !== undefined && operation.composite !== asked.composite) {
    throw clientError('InvalidRequest', 'The upload was begun with another type of checksum.');
  }
  if (claimed !== undefined && claimed.algorithm !== asked.algorithm) {
    throw clientError(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${asked.algorithm.toLowerCase()}, ` +
        `actual checksum Type: ${claimed.algorithm.toLowerCase()}`,
    );
  }
  const sums = parts.map(
    ({ checksum, plaintextBytes }) => checksum && { value: checksum.value, bytes: plaintextBytes },
  );
  if (!sums.every((sum) => sum !== undefined)) return undefined;
  const value = await checksumOfParts(asked.algorithm, sums, asked);
  const counts = asked.composite ? parts.length : undefined;
  const differs = claimed !== undefined && (!claimed.value.equals(value) || (claimed.parts ?? counts) !== counts);
  if (differs) {
    throw clientError(
      'BadDigest',
      `The ${asked.algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
    );
  }
  return { algorithm: asked.algorithm, value, parts: counts };
}

/**
 * The algorithm and type of the checksum that the Complete names, for an upload that was begun without one. undefined
 * unless all parts have a checksum by that algorithm.
 */
function askedAtTheEnd(
  { checksum, composite }: CompleteMultipartUpload,
  parts: readonly PartRecord[],
): ReadUpload['header']['checksum'] {
  if (checksum === undefined || composite === undefined) return undefined;
  const { algorithm } = checksum;
  if (!composite && !canCombine(algorithm)) return undefined;
  const borne = parts.every((part) => part.checksum?.algorithm === algorithm);
  return borne ? { algorithm, composite } : undefined;
}

function refuseOtherLength({ plaintextBytes }: CompleteMultipartUpload, parts: readonly PartRecord[]): void {
  if (plaintextBytes === undefined) return;
  const actual = parts.reduce((bytes, part) => bytes + part.plaintextBytes, 0);
  if (plaintextBytes === actual) return;
  throw clientError(
    'InvalidRequest',
    `The object size that was specified, ${plaintextBytes}, does not match what was computed: ${actual}`,
  );
}

/** What the footer says of the object: its length, its digests and its parts. */
export function contentsOf(parts: readonly PartRecord[], checksum: Checksum | undefined): UploadContents {
  const md5s = parts.map(({ md5 }) => md5);
  return {
    plaintextBytes: parts.reduce((bytes, part) => bytes + part.plaintextBytes, 0),
    md5: md5s.every((md5) => md5 !== undefined) ? createHash('md5').update(Buffer.concat(md5s)).digest() : undefined,
    checksum,
    parts: parts.map(({ partNumber, plaintextBytes, partSalt, md5, crc64 }) => ({
      partNumber,
      plaintextBytes,
      partSalt,
      md5,
      crc64,
    })),
  };
}
