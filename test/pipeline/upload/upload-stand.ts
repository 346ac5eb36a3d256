import type { VerifiedBody } from '../../../src/dialects/front-dialect.ts';
import type { UploadCompleted } from '../../../src/operations/answer.ts';
import type { CompleteMultipartUpload, CreateMultipartUpload, NamedPart } from '../../../src/operations/operation.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { completeUpload } from '../../../src/pipeline/upload/complete.ts';
import { createUpload } from '../../../src/pipeline/upload/create.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { BUCKET, bodyOf, getOf, type InProcess, verifiedBody } from '../in-process.ts';

export const MIB = 1024 * 1024;
/** What the store wants of every part but the last, and S3 too. */
export const PART = 5 * MIB;

/** An upload through the pipeline: each call as a request of its own. */
export interface StartedUpload {
  readonly named: { readonly ref: { readonly bucket: string; readonly key: string }; readonly uploadId: string };
  send(partNumber: number, bytes: Buffer | VerifiedBody): Promise<NamedPart>;
  complete(parts: readonly NamedPart[], over?: Partial<CompleteMultipartUpload>): Promise<UploadCompleted>;
}

export async function startUpload(
  stand: InProcess,
  key: string,
  options: {
    readonly bucket?: string;
    readonly context?: () => OperationContext;
    readonly checksum?: CreateMultipartUpload['checksum'];
  } = {},
): Promise<StartedUpload> {
  const { bucket = BUCKET, context = () => stand.context(), checksum } = options;
  const ref = { bucket, key };
  const metadata = { content: { contentType: 'text/plain' }, user: [] };
  const created = await createUpload({ kind: 'CreateMultipartUpload', ref, metadata, checksum }, context());
  const named = { ref, uploadId: created.uploadId };
  return {
    named,
    async send(partNumber, bytes) {
      const body = Buffer.isBuffer(bytes) ? verifiedBody(bytes) : bytes;
      const { etag } = await uploadPart({ kind: 'UploadPart', ...named, partNumber }, body, context());
      return { partNumber, etag, checksum: undefined };
    },
    complete: (parts, over = {}) =>
      completeUpload(
        {
          kind: 'CompleteMultipartUpload',
          ...named,
          parts,
          smallestPartBytes: PART,
          checksum: undefined,
          composite: undefined,
          plaintextBytes: undefined,
          conditions: {},
          ...over,
        },
        context(),
      ),
  };
}

export async function readBack(stand: InProcess, key: string, context = stand.context()): Promise<Buffer> {
  return bodyOf(await getObject(getOf(key), context));
}
