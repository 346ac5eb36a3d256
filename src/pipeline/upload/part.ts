import { passing, startDigest } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import type { PartStored } from '../../operations/answer.ts';
import { mayTellMd5 } from '../../operations/encryption.ts';
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
import { withDigests } from '../write/digested-body.ts';
import { findUpload, noSuchUpload, type UploadUnderWay } from './state.ts';

/** The most memory that a streaming part holds: the socket buffers of both sides, and two segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * The largest part whose length need not be declared. Such a part is read into memory first, because its sealed form
 * begins with its length.
 */
const GATHER_BYTES = 16 * 1024 * 1024;

/**
 * Carries out UploadPart.
 * @throws GatewayError NoSuchUpload, InvalidArgument for a part number that is too large, InvalidRequest for another
 *   checksum algorithm than the upload's, MissingContentLength, EntityTooLarge, SlowDown, what verifying the body
 *   throws, and what the store throws
 */
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
  upload.writer.mustTakeParts?.();
  const body = withDigests(sent, context, upload.writer.encryption);
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
    const whole = await gather(body.bytes());
    return await storePart(upload, { ...about, plaintextBytes: whole.length, source: only(whole) }, context);
  } finally {
    release();
  }
}

/** One attempt at sending a part. */
export interface PartAttempt {
  readonly partNumber: number;
  readonly plaintextBytes: number;
  /** The plaintext. */
  readonly source: ByteSource;
  /** The algorithm of the checksum that `proof` will give; undefined where it will give none. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Gives what was verified of the plaintext. It may be called once `source` has ended. */
  readonly proof: () => BodyProof;
}

/**
 * Seals a part, stores it, and records it in the upload's state. It is stored in the backend's upload or, if it is
 * smaller than the smallest part that the backend takes, in the staging bucket. Every attempt has a fresh salt and so
 * another ciphertext. This makes it safe to send a part again with other bytes, and gives each attempt an ETag of its
 * own (FORMAT.md §6).
 * @throws GatewayError EntityTooLarge, NoSuchUpload where the upload ended meanwhile, and what the store throws
 */
export async function storePart(
  upload: UploadUnderWay,
  attempt: PartAttempt,
  context: OperationContext,
): Promise<PartStored> {
  const { now, randomBytes, staging, stagingRights, store, uploadKeepSeconds, uploads, signal } = context;
  const { partNumber, plaintextBytes } = attempt;
  context.foretell?.(upload.writer.encryption);
  const bytes = upload.writer.format.storedPartBytes(plaintextBytes);
  const { smallestPartBytes, largestPartBytes } = store.limits;
  if (bytes > largestPartBytes) throw partTooLarge(plaintextBytes, upload, largestPartBytes);
  const staged = bytes < smallestPartBytes;
  if (staged) await stagingRights.verify({ upload: upload.proven, id: upload.id, store }, signal);
  const partSalt = randomBytes(16);
  const { source, checksum } = await withChecksum(attempt, upload.header.checksum?.algorithm);
  const body = { bytes, source: upload.writer.part(source, { partNumber, partSalt, plaintextBytes }) };
  const { etag } = staged
    ? await staging.put(upload.id, { partNumber, partSalt }, body, signal)
    : await store.uploads.putPart(upload.proven, { partNumber, body }, signal);
  const { md5, crc64 } = attempt.proof();
  const record: PartRecord = {
    partNumber,
    staged,
    plaintextBytes,
    partSalt,
    storedAt: now(),
    md5: mayTellMd5(upload.writer.encryption) ? md5 : undefined,
    crc64,
    checksum: checksum(),
    etag,
  };
  const [appended] = await Promise.all([
    uploads.append(upload.id, upload.records.sealPart(record), uploadKeepSeconds),
    // Without this, the upload may drop out of its tenant's quota early, which is no reason to refuse the part.
    uploads.countOn(context.tenant.name, upload.id, uploadKeepSeconds).catch(() => undefined),
  ]);
  let known = appended;
  // If the upload is over, the backend refused a large part. It knows nothing of a staged one, so the state is asked.
  if (known && staged) known = (await findUpload(upload, context)) !== undefined;
  if (!known) {
    // The upload was completed or aborted while the part was being sent.
    if (staged) await staging.remove(upload.id, [record], signal);
    throw noSuchUpload(upload, context);
  }
  const { encryption } = upload.writer;
  const shown = { etag: partEtag(record, context.policy), checksum: record.checksum, crc64 };
  return { kind: 'PartStored', ...shown, encryption };
}

interface Digested {
  readonly source: ByteSource;
  /** Gives the checksum. It may be called once `source` has ended. */
  readonly checksum: () => Checksum | undefined;
}

/**
 * Sees to it that the part has a checksum by the upload's algorithm: the one that the client sent, which is verified,
 * or else one that is computed while the part passes.
 */
async function withChecksum(attempt: PartAttempt, algorithm: ChecksumAlgorithm | undefined): Promise<Digested> {
  const { source, proof, checksumAlgorithm } = attempt;
  if (algorithm === undefined || algorithm === checksumAlgorithm) return { source, checksum: () => proof().checksum };
  const digest = await startDigest(algorithm);
  return { source: passing(source, digest), checksum: () => ({ algorithm, value: digest.digest() }) };
}

/**
 * Stores a part of an upload to an unsealed bucket. Its bytes are verified and otherwise sent as they are. The store
 * judges its number and its size.
 */
async function plainPart(operation: UploadPart, sent: VerifiedBody, context: OperationContext): Promise<PartStored> {
  const { budget, knownUploads, store, signal } = context;
  const { partNumber } = operation;
  const body = withDigests(sent, context, undefined);
  const { plaintextBytes: bytes } = body;
  if (bytes === undefined) throw lengthNeeded('Parts of uploads to this bucket must declare their length.');
  const release = budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const upload = await knownUploads.prove(operation, store, signal);
    const source = endHeldBack(body.bytes(), bytes);
    const { etag, told } = await store.uploads.putPart(upload, { partNumber, body: { bytes, source } }, signal);
    const { checksum, crc64 } = body.proof();
    return { kind: 'PartStored', etag: plainEtag(etag, context.policy), checksum, crc64, encryption: told };
  } finally {
    release();
  }
}

async function gather(source: ByteSource): Promise<Buffer> {
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
    `Part numbers end at ${lastPartNumber} here: the gateway needs part ${endPartNumber} for the list that ` +
      'authenticates the others. Use larger parts.',
    { details: { ArgumentName: 'partNumber', ArgumentValue: String(partNumber) } },
  );
}

/** Refuses a part whose checksum has another algorithm than the upload's, because such parts make no whole checksum. */
function refuseOtherChecksum(declared: ChecksumAlgorithm | undefined, { header }: UploadUnderWay): void {
  const asked = header.checksum?.algorithm;
  if (asked === undefined || declared === undefined || declared === asked) return;
  throw clientError(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${asked.toLowerCase()}, ` +
      `actual checksum Type: ${declared.toLowerCase()}`,
  );
}

/**
 * Makes the error for a part whose sealed form is larger than the largest part that the backend takes. S3's limit is 5
 * GiB of plaintext. To store such a part, the gateway would need two backend parts, and the second would need a number
 * between this part's and the next, which the client may use.
 */
function partTooLarge(plaintextBytes: number, { writer }: UploadUnderWay, largestPartBytes: number): GatewayError {
  const largestBytes = writer.format.largestPartPlaintext(largestPartBytes);
  return clientError(
    'EntityTooLarge',
    `The part has ${plaintextBytes} bytes, and a sealed one may have ${largestBytes} at most: sealing adds 16 bytes ` +
      `to every 64 KiB, and the backend takes ${largestPartBytes / 1024 ** 3} GiB. Send smaller parts.`,
    { details: { ProposedSize: String(plaintextBytes), MaxSizeAllowed: String(largestBytes) } },
  );
}
