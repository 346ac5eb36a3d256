import { explained } from '../dialects/store-claim.ts';
import type {
  CompletedPart,
  StoredAck,
  StoredPartListing,
  StoredUploadListing,
  StorePartCopy,
} from '../dialects/store-exchange.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { ListMultipartUploads } from '../operations/operation.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { OutgoingBody } from '../wire/message.ts';
import { errorDocument, pinTo, type StoreCalls } from './calls.ts';
import { etagOfParts } from './mend/complete-etag.ts';
import { asNoSuchUpload } from './mend/unknown-upload.ts';
import { ProvenUpload } from './proven-upload.ts';

/** The backend's multipart uploads, in the pipeline's terms, as `Store` has its objects. Sizes and ETags are the backend's. */
export class StoreUploads {
  readonly #calls: StoreCalls;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  async create(ref: ObjectRef, metadata: ObjectMetadata, signal: AbortSignal): Promise<ProvenUpload> {
    const request = this.#calls.back.createUpload(this.#calls.made(ref), metadata);
    const uploadId = await this.#calls.document(request, ref, signal, this.#calls.back.readUploadId);
    return ProvenUpload.created(ref, uploadId);
  }

  async putPart(
    upload: ProvenUpload,
    part: { readonly partNumber: number; readonly body: OutgoingBody },
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const { ref, uploadId } = this.#calls.made(upload);
    const request = this.#calls.back.uploadPart(ref, uploadId, part.partNumber, part.body);
    const { etag } = await this.#calls.acknowledged(request, ref, { signal });
    return { partNumber: part.partNumber, etag };
  }

  /**
   * Whether whoever asks may add parts to an upload, by a part that the backend cannot take: only its refusal of the part
   * itself, behind that of the asker, says yes. To list parts is another right, which readers have and writers may not.
   * @throws GatewayError AccessDenied, NoSuchUpload …
   */
  async tryPart(upload: ProvenUpload, signal: AbortSignal): Promise<void> {
    const { back, options } = this.#calls;
    const { ref, uploadId } = this.#calls.made(upload);
    const response = await this.#calls.send(back.impossiblePart(ref, uploadId), { signal });
    const document = await errorDocument(response);
    if (back.isImpossiblePart(response, document)) return;
    throw explained(back.readError(response, document, ref, options.identity?.asker), undefined);
  }

  async complete(
    upload: ProvenUpload,
    { parts, conditions }: { readonly parts: readonly CompletedPart[]; readonly conditions: Conditions },
    signal: AbortSignal,
  ): Promise<StoredAck> {
    const { ref, uploadId } = this.#calls.made(upload);
    const request = this.#calls.back.completeUpload(ref, uploadId, parts, conditions);
    const stored = await this.#calls.acknowledgedIn(
      request,
      ref,
      { signal, conditions },
      this.#calls.back.readComplete,
    );
    return stored.etag === '' ? { ...stored, etag: etagOfParts(parts) } : stored;
  }

  /** A part from an object of the backend’s. @throws as Store.copy */
  async copyPart(
    { ref, uploadId }: ProvenUpload,
    part: Omit<StorePartCopy, 'ref' | 'uploadId'>,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const request = this.#calls.back.copyPart(this.#calls.made({ ...part, ref, uploadId }));
    const options = { signal, conditions: pinTo(part.source) };
    const etag = await this.#calls.acknowledgedIn(request, ref, options, this.#calls.back.readCopiedPart);
    return { partNumber: part.partNumber, etag };
  }

  async abort(upload: ProvenUpload, signal: AbortSignal): Promise<void> {
    const { ref, uploadId } = this.#calls.made(upload);
    const response = await this.#calls
      .succeed(this.#calls.back.abortUpload(ref, uploadId), ref, { signal })
      .catch(asNoSuchUpload);
    response.discard();
  }

  /** The parts after a number, at most 1,000. */
  async listParts(upload: ProvenUpload, partNumberMarker: number, signal: AbortSignal): Promise<StoredPartListing> {
    const { ref, uploadId } = this.#calls.made(upload);
    const request = this.#calls.back.listParts(ref, uploadId, partNumberMarker);
    return this.#calls.document(request, ref, signal, this.#calls.back.readParts).catch(asNoSuchUpload);
  }

  async list(asked: ListMultipartUploads, signal: AbortSignal): Promise<StoredUploadListing> {
    return this.#calls.document(
      this.#calls.back.listUploads(this.#calls.made(asked)),
      asked,
      signal,
      this.#calls.back.readUploads,
    );
  }
}
