import type { GatewayError } from '../../../errors.ts';
import { parseIsoDate } from '../../../wire/dates.ts';
import { unquoted } from '../../../wire/etag.ts';
import type { ByteSource } from '../../../wire/message.ts';
import { XmlScanner } from '../../../wire/xml/xml-scanner.ts';
import type { StoredVersion } from '../../store-exchange.ts';
import { urlDecoded } from './answer-document.ts';
import { unusable } from './answer-head.ts';

/*
 * Reads listings of objects and versions. They are large, so they are read as they arrive, and the document itself is
 * not held in memory.
 */

/**
 * The bounds of the scanner. A key of 1,024 bytes takes 3,072 characters percent-encoded, and 12,288 where a store
 * writes each byte as a character reference. Continuation tokens may be longer.
 */
const LIMITS = {
  maxDepth: 8,
  maxTextLength: 64 * 1024,
  controlReferences: 'taken' as const,
  malformed: (reason: string): GatewayError => unusable(reason),
};

/**
 * Reads a listing to its end.
 * @throws GatewayError BackendError for a document that is incomplete, malformed, or of another kind; and what reading
 *   `body` throws
 */
export async function readListingPage(body: ByteSource, root: string): Promise<ListingPage> {
  const page = new ListingPage(root);
  const scanner = new XmlScanner(page, LIMITS);
  for await (const chunk of body) scanner.push(chunk);
  scanner.end();
  if (!page.fields.has('IsTruncated')) throw unusable('does not say whether it is complete');
  page.decodeNames();
  return page;
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** The fields of an entry that were read so far. */
interface Fields {
  key: string | undefined;
  size: string | undefined;
  etag: string | undefined;
  lastModified: string | undefined;
  storageClass: string | undefined;
  versionId: string | undefined;
  latest: boolean;
  owner: { id: string; displayName: string } | undefined;
}

/**
 * A page of a listing, which is filled while its elements are read. Names are decoded at the end, because MinIO says
 * only at the end of the document that they are encoded.
 */
export class ListingPage {
  readonly entries: Writable<StoredVersion>[] = [];
  readonly commonPrefixes: string[] = [];
  /** The texts of the root's other children, by element name. */
  readonly fields = new Map<string, string>();
  readonly #root: string;
  #entry: Fields | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  get truncated(): boolean {
    return this.fields.get('IsTruncated') === 'true';
  }

  open(name: string, depth: number): void {
    if (depth === 1) {
      if (name !== this.#root) throw unusable(`is a ${name} document, not ${this.#root}`);
    } else if (depth === 2) {
      this.#entry = isEntry(name) ? emptyFields() : undefined;
    } else if (depth === 3 && name === 'Owner' && this.#entry !== undefined) {
      this.#entry.owner = { id: '', displayName: '' };
    }
  }

  close(name: string, text: string, depth: number): void {
    if (depth === 3) this.#closeField(name, text);
    else if (depth === 4) this.#closeOwnerField(name, text);
    else if (depth === 2) this.#closeItem(name, text);
  }

  #closeField(name: string, text: string): void {
    const entry = this.#entry;
    if (entry === undefined) {
      // This is the child of a CommonPrefixes element, the only other kind whose children matter.
      if (name === 'Prefix') this.commonPrefixes.push(text);
      return;
    }
    switch (name) {
      case 'Key':
        if (entry.key !== undefined) throw unusable('has an entry with two keys');
        entry.key = text;
        break;
      case 'LastModified':
        entry.lastModified = text;
        break;
      case 'ETag':
        entry.etag = text;
        break;
      case 'Size':
        entry.size = text;
        break;
      case 'StorageClass':
        entry.storageClass = text;
        break;
      case 'VersionId':
        entry.versionId = text;
        break;
      case 'IsLatest':
        entry.latest = text === 'true';
        break;
    }
  }

  #closeOwnerField(name: string, text: string): void {
    const owner = this.#entry?.owner;
    if (owner === undefined) return;
    if (name === 'ID') owner.id = text;
    else if (name === 'DisplayName') owner.displayName = text;
  }

  #closeItem(name: string, text: string): void {
    if (this.#entry === undefined) this.fields.set(name, text);
    else this.entries.push(toEntry(this.#entry, name));
    this.#entry = undefined;
  }

  /** Decodes the names, where the store says that it encoded them. Stores that do not know `encoding-type` do not. */
  decodeNames(): void {
    if (!this.#encoded) return;
    for (const entry of this.entries) entry.key = urlDecoded(entry.key);
    for (let at = 0; at < this.commonPrefixes.length; at++) {
      this.commonPrefixes[at] = urlDecoded(this.commonPrefixes[at] as string);
    }
  }

  /** Returns the text of another child of the root that is a name, decoded; undefined where it is absent or empty. */
  decodedField(name: string): string | undefined {
    const text = this.fields.get(name);
    if (text === undefined || text === '') return undefined;
    return this.#encoded ? urlDecoded(text) : text;
  }

  get #encoded(): boolean {
    return this.fields.get('EncodingType') === 'url';
  }
}

function isEntry(name: string): boolean {
  return name === 'Contents' || name === 'Version' || name === 'DeleteMarker';
}

function emptyFields(): Fields {
  return {
    key: undefined,
    size: undefined,
    etag: undefined,
    lastModified: undefined,
    storageClass: undefined,
    versionId: undefined,
    latest: false,
    owner: undefined,
  };
}

function toEntry(fields: Fields, element: string): Writable<StoredVersion> {
  const { key, size, etag = '', storageClass, versionId = 'null', latest, owner } = fields;
  const deleteMarker = element === 'DeleteMarker';
  if (key === undefined) throw unusable(`has a ${element} without a Key`);
  const storedBytes = size === undefined && deleteMarker ? 0 : wholeNumber(size);
  if (storedBytes === undefined) throw unusable(`has a ${element} without a size`);
  const lastModified = fields.lastModified === undefined ? undefined : parseIsoDate(fields.lastModified);
  if (lastModified === undefined) throw unusable('has a LastModified that is not a date');
  return {
    key,
    storedBytes,
    etag: unquoted(etag),
    lastModified,
    storageClass: storageClass === '' ? undefined : storageClass,
    owner,
    versionId,
    latest,
    deleteMarker,
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && text !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
