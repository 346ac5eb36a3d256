import { clientError } from '../../errors.ts';
import type { VendorHeaders } from '../../operations/object.ts';
import type { DeleteObjects, DeleteTarget } from '../../operations/operation.ts';
import { type XmlHandler, XmlScanner } from '../../wire/xml/xml-scanner.ts';
import type { DocumentReader } from '../front-dialect.ts';
import { malformedDocument as malformed } from './malformed-document.ts';

const MAX_TARGETS = 1000;
const MAX_NAME_BYTES = 1024;
/** The longest reference to one character that the scanner reads: `&#x10FFFF;`. */
const MAX_REFERENCE_BYTES = 10;
/** A key, a version id or an ETag, in which every byte may be such a reference. */
const MAX_FIELD_BYTES = MAX_NAME_BYTES * MAX_REFERENCE_BYTES;

/** 1,000 keys of 1,024 bytes with their version ids and ETags, every byte of them a reference, and the tags. */
export const MAX_DELETE_BYTES = 24 * 1024 * 1024;

/** A key with a control character can be named in no other way, so a client's reference to one is taken here. */
const LIMITS = {
  maxDepth: 3,
  maxTextLength: MAX_FIELD_BYTES + 1024,
  controlReferences: 'taken' as const,
  malformed,
};
/** A JavaScript string takes two bytes for a character where one of them is not latin1. */
const BYTES_A_CHARACTER = 2;
/** The memory that a target takes beside its text: an object, and its place in a list. */
const TARGET_BYTES = 128;

/**
 * The body of a DeleteObjects, read as it comes: of a document that may have megabytes of references only the keys are
 * held. It is read strictly: an element that would be ignored is refused, and text within two elements is none.
 */
export class DeleteDocument implements DocumentReader, XmlHandler {
  readonly #bucket: string;
  readonly #vendor: VendorHeaders | undefined;
  readonly #checkKey: (key: string) => void;
  readonly #scanner = new XmlScanner(this, LIMITS);
  readonly #targets: DeleteTarget[] = [];
  #fields = new Map<string, string>();
  #quiet = false;
  #heldBytes = 0;

  /** @param checkKey the vendor's rule on keys; what it throws ends the reading */
  constructor(
    bucket: string,
    about: { readonly vendor: VendorHeaders | undefined; readonly checkKey: (key: string) => void },
  ) {
    this.#bucket = bucket;
    this.#vendor = about.vendor;
    this.#checkKey = about.checkKey;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws GatewayError MalformedBody, NotImplemented, KeyTooLongError, InvalidObjectName */
  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  /** @throws GatewayError MalformedBody */
  end(): DeleteObjects {
    this.#scanner.end();
    if (this.#targets.length === 0) throw malformed('names no object');
    return {
      kind: 'DeleteObjects',
      bucket: this.#bucket,
      targets: this.#targets,
      quiet: this.#quiet,
      vendor: this.#vendor,
    };
  }

  open(name: string, depth: number): void {
    if (depth === 1) {
      if (name !== 'Delete') throw malformed('must be a Delete document');
    } else if (depth === 2) {
      if (name !== 'Object' && name !== 'Quiet') throw malformed('has an element in Delete that is not known');
      this.#fields = new Map();
    } else {
      this.#openField(name);
    }
  }

  #openField(name: string): void {
    if (name === 'LastModifiedTime' || name === 'Size') {
      const why = 'S3 has it for directory buckets alone, and the backend knows ciphertext’s size';
      throw clientError('NotImplemented', `DeleteObjects with a condition on ${name} is not available: ${why}.`);
    }
    if (!['Key', 'VersionId', 'ETag'].includes(name) || this.#fields.has(name)) {
      throw malformed('has an element in Object that is doubled or not known');
    }
  }

  close(name: string, text: string, depth: number): void {
    if (depth === 3) this.#fields.set(name, text);
    else if (name === 'Quiet') this.#quiet = text.trim().toLowerCase() === 'true';
    else if (depth === 2) this.#addTarget();
  }

  #addTarget(): void {
    const [key = '', versionId = '', etag = ''] = ['Key', 'VersionId', 'ETag'].map((name) => this.#fields.get(name));
    if (key === '') throw malformed('has an Object without a Key');
    this.#checkKey(key);
    if (this.#targets.length === MAX_TARGETS) throw malformed(`names more than ${MAX_TARGETS} objects`);
    this.#targets.push({ key, ...(versionId !== '' && { versionId }), ...(etag !== '' && { etag }) });
    this.#heldBytes += TARGET_BYTES + BYTES_A_CHARACTER * (key.length + versionId.length + etag.length);
  }
}
