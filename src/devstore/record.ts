import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { Piece } from './blobs.ts';

/** Name and value as they stood on the wire (latin1, a character a byte). */
export type Entry = readonly [name: string, value: string];

/** What is kept beside an object's bytes; of an upload too, until it becomes an object. */
export interface Description {
  /** Content-Type and its like, names in lower case. */
  readonly headers: readonly Entry[];
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: readonly Entry[];
  readonly tags: readonly Entry[];
}

/** An object: the sidecar's content. */
export interface ObjectRecord extends Description {
  readonly key: string;
  /** Unquoted. */
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly pieces: readonly Piece[];
}

export interface UploadRecord extends Description {
  readonly id: string;
  readonly key: string;
  readonly initiatedMs: number;
}

export interface PartRecord {
  readonly partNumber: number;
  /** MD5 in hex. */
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly pieces: readonly Piece[];
}

export interface BucketRecord {
  readonly name: string;
  readonly createdMs: number;
  /** The LocationConstraint it was created with; '' for none. */
  readonly region: string;
}

const FORMAT = 1;

/** A sidecar's name: keys hold anything (`..`, `//`, names that differ only by case), file names do not. */
export function sidecarName(key: string): string {
  return `${createHash('sha256').update(key, 'utf8').digest('hex')}.json`;
}

export function encodeRecord(record: ObjectRecord | UploadRecord | PartRecord | BucketRecord): string {
  return `${JSON.stringify({ format: FORMAT, ...record }, undefined, 1)}\n`;
}

/**
 * The store trusts its own folder: this checks the format, not every field.
 * @throws GatewayError InternalError for a format of another time
 */
export function decodeRecord<T extends ObjectRecord | UploadRecord | PartRecord | BucketRecord>(value: unknown): T {
  const { format, ...record } = value as { format?: unknown };
  if (format !== FORMAT) {
    throw new GatewayError(
      'InternalError',
      `The embedded store found a record of format ${String(format)}, not ${FORMAT}: the folder is of another version. Start with an empty folder.`,
      { source: 'backend' },
    );
  }
  return record as T;
}
