import type { BodyProof, StoredCopy, VerifiedBody } from '../dialects/dialect.ts';
import type { Manifest } from '../envelope/footer.ts';
import { sealedBytes } from '../envelope/sizes.ts';
import { clientError } from '../errors.ts';
import type { ObjectMetadata } from '../operations/object.ts';
import type { CopyObject, GetObject } from '../operations/operation.ts';
import type { ByteSource } from '../wire/message.ts';
import { withTags } from './copy-in-parts.ts';
import type { SourceObject } from './copy-source.ts';
import { backendEtags, clientEtag } from './etag.ts';
import { getObject } from './get.ts';
import { putObject } from './put.ts';
import { MAX_PUT_BYTES } from './put-known-length.ts';
import { pinned } from './replaced.ts';
import type { OperationContext } from './services.ts';
import { writtenAt } from './written.ts';

/**
 * A copy that changes what protects the object: read as a GET reads it, stored as a PUT stores it, streaming. The
 * sealer withholds the end until the last segment of the source was authenticated, so a source that fails midway leaves
 * nothing behind.
 * @throws GatewayError InvalidRequest for a source too large for one PUT; what GET and PUT throw
 */
export async function copyOpened(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  { reading, writing }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<StoredCopy> {
  const { ref, conditions } = operation;
  const { plaintextBytes } = source.object;
  if (plaintextBytes > MAX_PUT_BYTES) throw tooLarge();
  const vendor = await withTags(operation, source, writing);
  const { body = Buffer.alloc(0) } = await pinned(getObject(readOf(source), reading));
  const plaintext = Buffer.isBuffer(body) ? only(body) : body;
  try {
    const write = { kind: 'PutObject', ref, metadata: { ...metadata, vendor }, conditions } as const;
    const ack = await putObject(write, readBody(plaintext, source, writing), writing);
    const stored = { etag: backendEtags(ack.etag) ?? ack.etag, versionId: ack.versionId, vendor: ack.vendor };
    return { ...stored, lastModified: await writtenAt(ref, stored, writing) };
  } finally {
    await plaintext[Symbol.asyncIterator]().return?.(); // a refused write never began to read
  }
}

function readOf({ ref, object }: SourceObject): GetObject {
  const conditions = { ifMatch: `"${clientEtag(object.stored.etag)}"` };
  return {
    kind: 'GetObject',
    ref,
    range: undefined,
    ifRange: undefined,
    conditions,
    overrides: {},
    wantsChecksum: false,
  };
}

/** The source's plaintext where PutObject expects a client's: authenticated, and of the digests that its footer holds. */
function readBody(source: ByteSource, { object, manifest }: SourceObject, { policy }: OperationContext): VerifiedBody {
  const { plaintextBytes } = object;
  const fitsOnePut = policy.protection === 'none' || sealedBytes(plaintextBytes, policy.quantum) <= MAX_PUT_BYTES;
  return {
    // Without a length it is stored in parts.
    plaintextBytes: fitsOnePut ? plaintextBytes : undefined,
    bytes: () => source,
    proof: () => wholeDigests(manifest),
  };
}

/** What a footer says of the object's bytes, and not of how they were cut in parts: that is another way now. */
export function wholeDigests(manifest: Manifest | undefined): BodyProof {
  const { checksum, md5, multipart } = manifest ?? {};
  return { checksum: checksum?.composite === true ? undefined : checksum, md5: multipart === true ? undefined : md5 };
}

async function* only(buffer: Buffer): AsyncGenerator<Buffer, void, void> {
  yield buffer;
}

function tooLarge(): Error {
  return clientError(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
  );
}
