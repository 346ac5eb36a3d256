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
/**
 * The greatest size of a key, a version id or an ETag in the document, where every byte is written as such a reference.
 */
const MAX_FIELD_BYTES = MAX_NAME_BYTES * MAX_REFERENCE_BYTES;

/**
 * The greatest size of the document: 1,000 keys with version ids and ETags, every byte as a reference, and the tags.
 */
export const MAX_DELETE_BYTES = 24 * 1024 * 1024;

/**
 * References to control characters are read, because a key that has such a character can be written in no other way.
 */
const LIMITS = {
  maxDepth: 3,
  maxTextLength: MAX_FIELD_BYTES + 1024,
  controlReferences: 'taken' as const,
  malformed,
};
/** The memory that a JavaScript string takes for each character, if one of them is not latin1. */
const BYTES_A_CHARACTER = 2;
/** The memory that a target takes beside its text, for the object and its place in the list; an estimate. */
const TARGET_BYTES = 128;

/**
 * Reads the body of a DeleteObjects request as it arrives, and holds nothing but the objects to delete: the document
 * itself may have megabytes of character references. Elements that are not known are refused instead of ignored.
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

  /** @param about `checkKey` checks the vendor's rules on keys; what it throws ends the reading */
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
      const why = 'S3 has it for directory buckets alone, and the backend knows the size of the ciphertext only';
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
