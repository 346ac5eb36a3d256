import { clientError, type GatewayError } from '../../errors.ts';
import { FormReader, formText } from '../../wire/bodies/form-reader.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { FormReaders, FrontSettings, PolicyClaim, UploadForm, VerifiedBody } from '../front-dialect.ts';
import type { SigningSecret } from '../signing-secret.ts';
import { checkPostPolicy, type PostPolicy, readPostPolicy } from './post-policy.ts';

/**
 * The limit for what comes before the file. S3: "the form data and boundaries (excluding the contents of the file)
 * cannot exceed 20 KB".
 */
const MAX_PRE_DATA_BYTES = 20 * 1024;

/** The limit for what follows the file. The sample form in S3's documentation has its submit button there. */
const MAX_POST_DATA_BYTES = 20 * 1024;

/** What the head of a form upload says, and which dialect it came in by. */
export interface FormHead {
  readonly bucket: string;
  readonly boundary: string;
  readonly settings: FrontSettings;
  /** How the dialect reads forms whose head is like its own. */
  readonly own: FormReaders;
}

/**
 * Reads a form's fields up to its file. Forms are alike in all dialects that took them over from S3 (S3 API reference,
 * "sigv4-authentication-HTTPPOST"); their fields have the vendors' names.
 * @param readersOf returns how another dialect reads the form, where its fields say that it is of that one
 * @throws GatewayError MalformedPOSTRequest, MaxPostPreDataLengthExceeded, IncorrectNumberOfFilesInPostRequest,
 *   InvalidArgument (a field that is missing, or there twice), and what the dialect's readers throw
 */
export async function openForm(
  request: WireRequest,
  { bucket, boundary, settings, own }: FormHead,
  readersOf?: (fields: ReadonlyMap<string, string>) => FormReaders | undefined,
): Promise<UploadForm> {
  const reader = new FormReader(request.body, boundary);
  try {
    const fields = await readFields(reader, bucket);
    const readers = readersOf?.(fields) ?? own;
    const claim = readers.claim(fields, settings);
    const policyText = fields.get('policy') ?? '';
    const declared = request.headers.get('content-length');
    const mostBytes = declared === undefined ? undefined : Number(declared) - reader.readBytes;
    const form = { reader, fields, mostBytes, readers };
    return {
      operation: readers.operation(bucket, fields, request),
      claim: claim && {
        accessKeyId: claim.accessKeyId,
        legacy: claim.legacy,
        verify: (secret, now) => verifyForm({ ...form, claim, policyText }, secret, now),
      },
      unsignedBody: () => fileBody(form, ANY_SIZE),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/**
 * Returns the fields before the file, with names in lower case and variables expanded. The reader then stands at the
 * file's first byte.
 */
async function readFields(reader: FormReader, bucket: string): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
    boundPreData(reader);
    const name = part.name.toLowerCase();
    if (name === 'file') {
      expand(fields, fileNameOf(part.fileName));
      return placed(fields, bucket);
    }
    if (fields.has(name)) {
      throw clientError('InvalidArgument', `The form field ${part.name.slice(0, 64)} may be there once only.`);
    }
    fields.set(name, await readField(reader));
  }
  throw fileCount();
}

async function readField(reader: FormReader): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of reader.bytes()) {
    boundPreData(reader);
    pieces.push(Buffer.from(piece)); // A copy is needed, because the source may reuse its buffer.
  }
  return formText(Buffer.concat(pieces));
}

function boundPreData(reader: FormReader): void {
  if (reader.readBytes <= MAX_PRE_DATA_BYTES) return;
  throw clientError(
    'MaxPostPreDataLengthExceeded',
    'Your POST request fields preceding the upload file were too large.',
    { details: { MaxPostPreDataLengthBytes: String(MAX_PRE_DATA_BYTES) } },
  );
}

/** Returns the file's name without its folders, because some browsers send the whole path. */
function fileNameOf(sent: string | undefined): string {
  return sent?.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1) ?? '';
}

const FILE_NAME_VARIABLE = /\$\{filename\}/g;

/** Replaces the variable `${filename}`, which any field may have. The policy is compared with the result. */
function expand(fields: Map<string, string>, fileName: string): void {
  let grown = 0;
  for (const [name, value] of fields) {
    const expanded = value.replace(FILE_NAME_VARIABLE, () => {
      grown += fileName.length;
      if (grown > MAX_PRE_DATA_BYTES) throw clientError('InvalidArgument', 'The form names its file too often.');
      return fileName;
    });
    fields.set(name, expanded);
  }
}

/** Adds the bucket to the fields, because the policy must name it. The form may have such a field itself. */
function placed(fields: Map<string, string>, bucket: string): Map<string, string> {
  if ((fields.get('bucket') ?? bucket) !== bucket) {
    throw clientError('AccessDenied', 'The form’s field bucket names another bucket than the one it was sent to.');
  }
  return fields.set('bucket', bucket);
}

/** A form that was read up to its file. */
interface OpenForm {
  readonly readers: FormReaders;
  readonly reader: FormReader;
  readonly fields: ReadonlyMap<string, string>;
  /** An upper bound on the file's size: the length of the request without what was read of it. */
  readonly mostBytes: number | undefined;
}

interface SignedForm extends OpenForm {
  readonly claim: PolicyClaim;
  readonly policyText: string;
}

function verifyForm(form: SignedForm, secret: SigningSecret, now: Date): VerifiedBody {
  form.claim.verify(secret, now);
  const policy = readPostPolicy(form.policyText);
  checkPostPolicy(policy, { fields: form.fields, free: form.readers.freeFields }, now);
  return fileBody(form, policy);
}

type SizeRange = Pick<PostPolicy, 'minBytes' | 'maxBytes'>;

/** The sizes that a form allows which nobody signed. */
const ANY_SIZE: SizeRange = { minBytes: 0, maxBytes: Number.MAX_SAFE_INTEGER };

function fileBody({ readers, reader, fields, mostBytes }: OpenForm, size: SizeRange): VerifiedBody {
  return readers.body(fileBytes(reader, size), fields, mostBytes);
}

/**
 * Yields the bytes of the file. It ends cleanly only if the policy allows the file's size, and the form was complete up
 * to its last boundary.
 */
async function* fileBytes(reader: FormReader, size: SizeRange): AsyncGenerator<Buffer, void, void> {
  try {
    let bytes = 0;
    for await (const piece of reader.bytes()) {
      bytes += piece.length;
      if (bytes > size.maxBytes) throw wrongSize('EntityTooLarge', bytes, size);
      yield piece;
    }
    if (bytes < size.minBytes) throw wrongSize('EntityTooSmall', bytes, size);
    await passRest(reader);
  } finally {
    await reader.close();
  }
}

/** Reads and ignores the fields that follow the file, as S3 does. A form often has its submit button there. */
async function passRest(reader: FormReader): Promise<void> {
  const from = reader.readBytes;
  for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
    if (part.name.toLowerCase() === 'file') throw fileCount();
    boundPostData(reader.readBytes - from);
    for await (const _ of reader.bytes()) boundPostData(reader.readBytes - from);
  }
}

function boundPostData(bytes: number): void {
  if (bytes <= MAX_POST_DATA_BYTES) return;
  throw clientError('MalformedPOSTRequest', 'Your POST request fields following the upload file were too large.');
}

function wrongSize(code: 'EntityTooLarge' | 'EntityTooSmall', bytes: number, size: SizeRange): GatewayError {
  return code === 'EntityTooLarge'
    ? clientError(code, 'Your proposed upload exceeds the maximum allowed size.', {
        details: { ProposedSize: String(bytes), MaxSizeAllowed: String(size.maxBytes) },
      })
    : clientError(code, 'Your proposed upload is smaller than the minimum allowed size.', {
        details: { ProposedSize: String(bytes), MinSizeAllowed: String(size.minBytes) },
      });
}

function fileCount(): GatewayError {
  return clientError('IncorrectNumberOfFilesInPostRequest', 'POST requires exactly one file upload per request.');
}
