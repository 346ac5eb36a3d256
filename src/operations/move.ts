import type { ObjectRef } from './object.ts';

/**
 * MoveObject gives an object another key in its bucket. Its bytes, metadata and encryption stay as they are, and so it
 * takes no key, not even for an object that only its client can open.
 */
export interface MoveObject {
  readonly kind: 'MoveObject';
  /** Where the object goes. What is there is replaced. */
  readonly ref: ObjectRef;
  /** Where it lies, in the same bucket. */
  readonly source: { readonly ref: ObjectRef; readonly encryption?: undefined };
}
