import { passing, startDigest } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import type { PartStored } from '../../operations/answer.ts';
import type { Checksum, ChecksumAlgorithm } from '../../operations/object.ts';
import type { UploadPart } from '../../operations/operation.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';
import { collect } from '../../wire/bodies/collect.ts';
import { endHeldBack } from '../../wire/bodies/end-held-back.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { OperationContext } from '../context.ts';
import { partEtag } from '../etags/part-etag.ts';
import { plainEtag } from '../etags/shown-etag.ts';
import { withMd5 } from '../write/digested-body.ts';
import { findUpload, noSuchUpload, type UploadUnderWay } from './state.ts';

/** The most that a streaming part holds: the socket buffers of both sides, and two segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/** A part of unknown length is gathered up to this size, because its stored form needs the length first. */
const GATHER_BYTES = 16 * 1024 * 1024;

/** UploadPart. */
export async function uploadPart(
  operation: UploadPart,
  sent: VerifiedBody,
  context: OperationContext,
): Promise<PartStored> {
  const upload = await findUpload(operation, context);
  const { budget, formats } = context;
  if (upload === undefined) {
    if (!formats.write.asSent) throw noSuchUpload(operation, context);
    return plainPart(operation, sent, context);
  }
  const body = withMd5(sent, context);
  const { partNumber } = operation;
  refuseLastNumber(partNumber, upload);
  refuseOtherChecksum(body.checksumAlgorithm, upload);
  const { plaintextBytes } = body;
  const release = budget.reserve(plaintextBytes === undefined ? 2 * GATHER_BYTES : STREAM_RESERVE_BYTES);
  try {
    const { checksumAlgorithm } = body;
    const about = { partNumber, checksumAlgorithm, proof: () => body.proof() };
    if (plaintextBytes !== undefined) {
      return await storePart(upload, { ...about, plaintextBytes, source: body.bytes() }, context);
    }
    const whole = await gathered(body.bytes());
    return await storePart(upload, { ...about, plaintextBytes: whole.length, source: only(whole) }, context);
  } finally {
    release();
  }
}

/** One attempt at a part. */
export interface PartAttempt {
  readonly partNumber: number;
  readonly plaintextBytes: number;
  readonly source: ByteSource;
  /** Of the checksum that the proof will have. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Asked once `source` ended. */
  readonly proof: () => BodyProof;
}

/**
 * Seals a part and puts it where it belongs: into the backend's upload, or, when it is smaller than the backend takes,
 * into the staging bucket; then records it. A fresh salt makes every attempt another ciphertext, so that sending a part
 * again with other bytes is safe, and that ETags tell attempts apart (FORMAT.md §6).
 */
export async function storePart(
  upload: UploadUnderWay,
  attempt: PartAttempt,
  context: OperationContext,
): Promise<PartStored> {
  const { now, randomBytes, staging, stagingRights, store, uploadKeepSeconds, uploads, signal } = context;
  const { partNumber, plaintextBytes } = attempt;
  const bytes = upload.writer.format.storedPartBytes(plaintextBytes);
  const { smallestPartBytes, largestPartBytes } = store.limits;
  if (bytes > largestPartBytes) throw partTooLarge(plaintextBytes, upload, largestPartBytes);
  const staged = bytes < smallestPartBytes;
  if (staged) await stagingRights.verify({ upload: upload.proven, id: upload.id, store }, signal);
  const partSalt = randomBytes(16);
  const { source, checksum } = await digested(attempt, upload.header.checksum?.algorithm);
  const body = { bytes, source: upload.writer.part(source, { partNumber, partSalt, plaintextBytes }) };
  const { etag } = staged
    ? await staging.put(upload.id, { partNumber, partSalt }, body, signal)
    : await store.uploads.putPart(upload.proven, { partNumber, body }, signal);
  const record: PartRecord = {
    partNumber,
    staged,
    plaintextBytes,
    partSalt,
    storedAt: now(),
    md5: attempt.proof().md5,
    checksum: checksum(),
    etag,
  };
  const [appended] = await Promise.all([
    uploads.append(upload.id, upload.records.sealPart(record), uploadKeepSeconds),
    // A count that is lost is one upload more for its tenant: no reason to refuse a part.
    uploads.countOn(context.tenant.name, upload.id, uploadKeepSeconds).catch(() => undefined),
  ]);
  let known = appended;
  // A large part was refused by the backend where the upload is over; of a staged one only this tells.
  if (known && staged) known = (await findUpload(upload, context)) !== undefined;
  if (!known) {
    // Completed or aborted while the part was on its way.
    if (staged) await staging.remove(upload.id, [record], signal);
    throw noSuchUpload(upload, context);
  }
  const { encryption } = upload.writer;
  return { kind: 'PartStored', etag: partEtag(record, context.policy), checksum: record.checksum, encryption };
}

interface Digested {
  readonly source: ByteSource;
  /** Once the source ended. */
  readonly checksum: () => Checksum | undefined;
}

/** The part's checksum by the upload's algorithm: the client's, which is verified, or else one computed here. */
async function digested(attempt: PartAttempt, algorithm: ChecksumAlgorithm | undefined): Promise<Digested> {
  const { source, proof, checksumAlgorithm } = attempt;
  if (algorithm === undefined || algorithm === checksumAlgorithm) return { source, checksum: () => proof().checksum };
  const digest = await startDigest(algorithm);
  return { source: passing(source, digest), checksum: () => ({ algorithm, value: digest.digest() }) };
}

/**
 * Stores a part where the store's parts are the client's: as it is, but verified all the same. The store judges
 * conditions and sizes.
 */
async function plainPart(operation: UploadPart, body: VerifiedBody, context: OperationContext): Promise<PartStored> {
  const { budget, knownUploads, store, signal } = context;
  const { partNumber } = operation;
  const { plaintextBytes: bytes } = body;
  if (bytes === undefined) throw lengthNeeded('Parts of uploads to this bucket must declare their length.');
  const release = budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const upload = await knownUploads.prove(operation, store, signal);
    const source = endHeldBack(body.bytes(), bytes);
    const { etag } = await store.uploads.putPart(upload, { partNumber, body: { bytes, source } }, signal);
    return { kind: 'PartStored', etag: plainEtag(etag, context.policy), checksum: body.proof().checksum };
  } finally {
    release();
  }
}

async function gathered(source: ByteSource): Promise<Buffer> {
  return collect(source, GATHER_BYTES, () =>
    lengthNeeded(`A part of more than ${GATHER_BYTES} bytes must declare its length, by Content-Length.`),
  );
}

function lengthNeeded(message: string): GatewayError {
  return clientError('MissingContentLength', message);
}

function refuseLastNumber(partNumber: number, { writer }: UploadUnderWay): void {
  const { lastPartNumber, endPartNumber } = writer.format;
  if (partNumber <= lastPartNumber) return;
  throw clientError(
    'InvalidArgument',
    `Part numbers end at ${lastPartNumber} here: the gateway needs part ${endPartNumber} for the list that authenticates the others. Use larger parts.`,
    { details: { ArgumentName: 'partNumber', ArgumentValue: String(partNumber) } },
  );
}

/** Two algorithms in one upload make no checksum of the whole. */
function refuseOtherChecksum(declared: ChecksumAlgorithm | undefined, { header }: UploadUnderWay): void {
  const asked = header.checksum?.algorithm;
  if (asked === undefined || declared === undefined || declared === asked) return;
  throw clientError(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${asked.toLowerCase()}, actual checksum Type: ${declared.toLowerCase()}`,
  );
}

/**
 * S3's own limit for a part is 5 GiB of plaintext. Its sealed form could only lie in two backend parts, and the second
 * would need a number between this one and the next, which the client may use.
 */
function partTooLarge(plaintextBytes: number, { writer }: UploadUnderWay, largestPartBytes: number): GatewayError {
  const largestBytes = writer.format.largestPartPlaintext(largestPartBytes);
  return clientError(
    'EntityTooLarge',
    `The part has ${plaintextBytes} bytes, and a sealed one may have ${largestBytes} at most: sealing adds 16 bytes to ` +
      `every 64 KiB, and the backend takes ${largestPartBytes / 1024 ** 3} GiB. Send smaller parts.`,
    { details: { ProposedSize: String(plaintextBytes), MaxSizeAllowed: String(largestBytes) } },
  );
}
