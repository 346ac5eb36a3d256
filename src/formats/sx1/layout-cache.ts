import { LRUCache } from 'lru-cache';
import type { Manifest } from '../../envelope/footer.ts';
import type { Layout } from '../../envelope/layout.ts';
import type { ObjectRef } from '../../operations/object.ts';

/** An object's verified footer. It holds for as long as the backend's ETag is the same. */
export interface KnownLayout {
  readonly backendEtag: string;
  /** The id of the object whose footer this is: a store may give two objects the same ETag. */
  readonly oid: Buffer;
  readonly storedBytes: number;
  readonly manifest: Manifest;
  /** Of a multipart object; a PutObject's needs no footer. */
  readonly layout: Layout | undefined;
}

/**
 * A part's objects and buffers in manifest and layout. Measured as the growth of heap and external memory: 375 without
 * an MD5, 490 with one, 540 where the parts came from an upload's state; a CRC is one view more.
 */
const BYTES_A_PART = 650;
/** Measured with one part, which is counted beside it: 1,210 together. */
const BYTES_AN_ENTRY = 1000;
/** What a Map and a list of uses take beside the name's characters. */
const BYTES_A_NAME = 150;
/** The part of the memory that goes to the places of PutObject objects: one in so many. */
const SINGLES_SHARE = 8;

/**
 * Footers by place and by whose keys opened them (KeySource.scope), so that a range of a multipart object costs one
 * backend request after the first. What is in here was authenticated under those keys when it was read. A hit is used
 * only together with an answer that bears the same ETag, whose envelope is opened anew; before that answer it may say
 * what to ask for, and no more.
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

  /** Remembers a place where a PutObject object lies: nothing shifts its bytes. */
  setSingle(scope: string, ref: ObjectRef): void {
    this.#singles.set(nameOf(scope, ref), true);
  }

  isSingle(scope: string, ref: ObjectRef): boolean {
    return this.#singles.has(nameOf(scope, ref));
  }

  /** All that is remembered of a place. */
  delete(scope: string, ref: ObjectRef): void {
    this.#layouts.delete(nameOf(scope, ref));
    this.#singles.delete(nameOf(scope, ref));
  }
}

/** Injective: JSON keeps the fields apart whatever characters a key has. */
function nameOf(scope: string, ref: ObjectRef): string {
  return JSON.stringify([scope, ref.bucket, ref.key, ref.versionId ?? '']);
}
