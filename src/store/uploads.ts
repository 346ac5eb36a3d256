import { explained } from '../dialects/store-claim.ts';
import type {
  CompletedPart,
  StoredAck,
  StoredPartListing,
  StoredUploadListing,
  StorePartCopy,
} from '../dialects/store-exchange.ts';
import type { ListMultipartUploads } from '../operations/listing.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { OutgoingBody } from '../wire/message.ts';
import { errorDocument, pinTo, type StoreCalls } from './calls.ts';
import { etagOfParts } from './mend/complete-etag.ts';
import { asNoSuchUpload } from './mend/unknown-upload.ts';
import { ProvenUpload } from './proven-upload.ts';

/** The backend's multipart uploads; `Store` does the same for objects. Sizes and ETags are the backend's. */
export class StoreUploads {
  readonly #calls: StoreCalls;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  async create(ref: ObjectRef, metadata: ObjectMetadata, signal: AbortSignal): Promise<ProvenUpload> {
    const { calls } = this.#calls.dialect;
    return ProvenUpload.created(ref, await this.#calls.run(calls.createUpload, { ref, metadata }, { signal }));
  }

  async putPart(
    { ref, uploadId }: ProvenUpload,
    { partNumber, body }: { readonly partNumber: number; readonly body: OutgoingBody },
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const { calls } = this.#calls.dialect;
    const ack = await this.#calls.run(calls.uploadPart, { ref, uploadId, partNumber, body }, { signal });
    return { partNumber, etag: ack.etag, told: this.#calls.toldOfUpload({ ref, uploadId }, ack.encryptedAs) };
  }

  /**
   * Finds out whether the asker may add parts to an upload, by sending a part that the backend cannot take. A backend
   * checks rights before it checks a part, so only a refusal of the part itself means yes. Listing the parts would not
   * tell: that is another right, which readers have and writers may lack.
   * @throws GatewayError AccessDenied, NoSuchUpload …
   */
  async tryPart(upload: ProvenUpload, signal: AbortSignal): Promise<void> {
    const { ref, uploadId } = upload;
    const { impossiblePart } = this.#calls.dialect.calls;
    const response = await this.#calls.send(impossiblePart, { ref, uploadId }, { signal });
    const document = await errorDocument(response);
    if (impossiblePart.read(document, response)) return;
    throw explained(this.#calls.refusalIn(response, document, upload), undefined);
  }

  async complete(
    { ref, uploadId }: ProvenUpload,
    { parts, conditions }: { readonly parts: readonly CompletedPart[]; readonly conditions: Conditions },
    signal: AbortSignal,
  ): Promise<StoredAck> {
    const asked = { ref, uploadId, parts, conditions };
    const stored = await this.#calls.run(this.#calls.dialect.calls.completeUpload, asked, { signal, conditions });
    return stored.etag === '' ? { ...stored, etag: etagOfParts(parts) } : stored;
  }

  /**
   * Copies a part from an object of the backend.
   * @throws as Store.copy does
   */
  async copyPart(
    { ref, uploadId }: ProvenUpload,
    part: Omit<StorePartCopy, 'ref' | 'uploadId'>,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const asked = { ...part, ref, uploadId };
    const options = { signal, conditions: pinTo(part.source) };
    const etag = await this.#calls.run(this.#calls.dialect.calls.copyPart, asked, options);
    return { partNumber: part.partNumber, etag, told: this.#calls.toldOfUpload({ ref, uploadId }) };
  }

  abort({ ref, uploadId }: ProvenUpload, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.abortUpload, { ref, uploadId }, { signal }).catch(asNoSuchUpload);
  }

  /** Lists the parts after a part number, at most `limits.entriesAPage`. */
  listParts(
    { ref, uploadId }: ProvenUpload,
    partNumberMarker: number,
    signal: AbortSignal,
  ): Promise<StoredPartListing> {
    const asked = { ref, uploadId, partNumberMarker };
    return this.#calls.run(this.#calls.dialect.calls.listParts, asked, { signal }).catch(asNoSuchUpload);
  }

  list(asked: ListMultipartUploads, signal: AbortSignal): Promise<StoredUploadListing> {
    return this.#calls.run(this.#calls.dialect.calls.listUploads, asked, { signal });
  }

  /**
   * Aborts the uploads below a prefix that began before a time, as far as one page of the backend's listing names them.
   */
  async abortOlder(
    { bucket, prefix, before }: { readonly bucket: string; readonly prefix: string; readonly before: Date },
    signal: AbortSignal,
  ): Promise<void> {
    const { entriesAPage: maxUploads } = this.#calls.dialect.limits;
    const page = { delimiter: '', keyMarker: '', uploadIdMarker: '', maxUploads, urlEncoded: true };
    const { uploads } = await this.list({ kind: 'ListMultipartUploads', bucket, prefix, ...page }, signal);
    for (const { key, uploadId } of uploads.filter(({ initiated }) => initiated < before)) {
      await this.abort(ProvenUpload.listed({ bucket, key }, uploadId), signal);
    }
  }
}
