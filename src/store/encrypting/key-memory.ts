import { LRUCache } from 'lru-cache';
import type { StoreEncryption } from '../../dialects/store-encryption.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';

/** The memory for what is remembered of objects and of uploads, each: enough for some 30,000. */
const MEMORY_BYTES = 8 * 1024 * 1024;
/** The memory of an entry beside its name, as formats/plain-sizes.ts has it. */
const BYTES_AN_ENTRY = 150;
/**
 * How long nothing is sent to a store that was seen to ignore what it is asked for, since each attempt may replace an
 * object. After that it is tried again, because somebody may have mended it.
 */
const DISTRUST_MILLISECONDS = 60_000;

/** What is remembered of an upload under way. */
export interface RememberedUpload {
  /** The version of the tenant's key with which it began, or NO_KEY. */
  readonly version: number;
  /** What clients are told of it; undefined where this process did not begin it. */
  readonly told: EncryptionFacts | undefined;
}

type Named = { readonly ref: ObjectRef; readonly uploadId: string };

/**
 * Remembers which key fitted: of objects that were read or written, and of uploads. It holds numbers of versions, and
 * no keys. What it forgets, or what another gateway has done, is found out again by trying.
 */
export class KeyMemory {
  readonly #objects = boundedCache<number>();
  readonly #uploads = boundedCache<RememberedUpload>();
  readonly #distrusted = new Map<StoreEncryption['kind'], number>();
  readonly #monotonicNow: () => number;

  /** @param monotonicNow returns milliseconds that never run backwards */
  constructor(monotonicNow: () => number = () => performance.now()) {
    this.#monotonicNow = monotonicNow;
  }

  object(ref: ObjectRef): number | undefined {
    return this.#objects.get(nameOf(ref));
  }

  setObject(ref: ObjectRef, version: number): void {
    this.#objects.set(nameOf(ref), version);
  }

  upload(named: Named): RememberedUpload | undefined {
    return this.#uploads.get(uploadName(named));
  }

  setUpload(named: Named, upload: RememberedUpload): void {
    this.#uploads.set(uploadName(named), upload);
  }

  forgetUpload(named: Named): void {
    this.#uploads.delete(uploadName(named));
  }

  /** Notes that the store has stored an object without the encryption that it was asked for. */
  distrust(kind: StoreEncryption['kind']): void {
    this.#distrusted.set(kind, this.#monotonicNow() + DISTRUST_MILLISECONDS);
  }

  /** Whether the store did so lately. */
  isDistrusted(kind: StoreEncryption['kind']): boolean {
    return (this.#distrusted.get(kind) ?? Number.NEGATIVE_INFINITY) > this.#monotonicNow();
  }
}

function boundedCache<Value extends {}>(): LRUCache<string, Value> {
  return new LRUCache({ maxSize: MEMORY_BYTES, sizeCalculation: (_, name) => BYTES_AN_ENTRY + 2 * name.length });
}

/** A bucket is one tenant's, so that its name stands for the tenant, too. */
function nameOf({ bucket, key, versionId }: ObjectRef): string {
  return JSON.stringify([bucket, key, versionId]);
}

function uploadName({ ref, uploadId }: Named): string {
  return JSON.stringify([ref.bucket, ref.key, uploadId]);
}
