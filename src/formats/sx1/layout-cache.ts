import { LRUCache } from 'lru-cache';
import type { Manifest } from '../../envelope/footer.ts';
import type { Layout } from '../../envelope/layout.ts';
import type { ObjectRef } from '../../operations/object.ts';

/** The verified footer of an object. It is used only as long as the backend's ETag of the object is the same. */
export interface KnownLayout {
  /** Unquoted. */
  readonly backendEtag: string;
  /** The object id, because a store may give two objects the same ETag. */
  readonly oid: Buffer;
  readonly storedBytes: number;
  readonly manifest: Manifest;
  /** Set for a multipart object. The layout of an object that was sent by one PUT follows from its envelope. */
  readonly layout: Layout | undefined;
}

/**
 * The memory of a part's objects and buffers in manifest and layout. The growth of heap and external memory was
 * measured: 375 bytes without an MD5, 490 with one, 540 where the parts came from an upload's state. A CRC takes one
 * view more.
 */
const BYTES_A_PART = 650;
/** The memory of an entry without its parts. 1,210 bytes were measured for an entry with one part. */
const BYTES_AN_ENTRY = 1000;
/** The memory that a Map and a list of uses take for an entry, beside the characters of its name. */
const BYTES_A_NAME = 150;
/** The places of objects that were sent by one PUT get an extra share of the limit: one part in so many. */
const SINGLES_SHARE = 8;

/**
 * Remembers verified footers, so that a range of a multipart object costs one request to the backend after the first
 * range. They are found by place and by whose keys opened them (KeySource.scope).
 *
 * Before the store has answered, a remembered footer may decide which bytes are asked for, and nothing else. It is used
 * to open an object only if the store's answer has the same ETag and the envelope in that answer opens.
 */
export class LayoutCache {
  readonly #layouts: LRUCache<string, KnownLayout>;
  readonly #singles: LRUCache<string, true>;

  constructor(limitBytes: number) {
    this.#singles = new LRUCache({
      maxSize: limitBytes / SINGLES_SHARE,
      sizeCalculation: (_single, name) => BYTES_A_NAME + name.length,
    });
    this.#layouts = new LRUCache({
      maxSize: limitBytes,
      sizeCalculation: (layout, name) => BYTES_AN_ENTRY + name.length + layout.manifest.parts.length * BYTES_A_PART,
    });
  }

  get(scope: string, ref: ObjectRef): KnownLayout | undefined {
    return this.#layouts.get(nameOf(scope, ref));
  }

  set(scope: string, ref: ObjectRef, layout: KnownLayout): void {
    this.#layouts.set(nameOf(scope, ref), layout);
  }

  /** Remembers that the object at a place was sent by one PUT, so that no part headers shift its segments. */
  setSingle(scope: string, ref: ObjectRef): void {
    this.#singles.set(nameOf(scope, ref), true);
  }

  isSingle(scope: string, ref: ObjectRef): boolean {
    return this.#singles.has(nameOf(scope, ref));
  }

  /** Forgets all that is remembered of a place. */
  delete(scope: string, ref: ObjectRef): void {
    this.#layouts.delete(nameOf(scope, ref));
    this.#singles.delete(nameOf(scope, ref));
  }
}

/** The name of an entry. JSON keeps the fields apart whatever characters a key contains, so no two share a name. */
function nameOf(scope: string, ref: ObjectRef): string {
  return JSON.stringify([scope, ref.bucket, ref.key, ref.versionId ?? '']);
}
