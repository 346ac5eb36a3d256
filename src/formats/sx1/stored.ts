import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { Manifest } from '../../envelope/footer.ts';
import type { Layout } from '../../envelope/layout.ts';
import type { Proven } from '../../errors.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { BucketFormats } from '../bucket-formats.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { PeekedContent } from '../peeked-content.ts';
import type { PlainObject as FoundPlain } from '../plain/plain-object.ts';
import type { SealedObject as FoundSealed } from './sealed-object.ts';

export { checksumIn, lengthIn } from './sealed-object.ts';

/*
 * The readers' older names for what an IdentifiedObject does itself; they go when nobody uses them any more.
 */

export type SealedObject = Proven<FoundSealed>;
export type PlainObject = Proven<FoundPlain>;

export async function identify(
  ref: ObjectRef,
  stored: StoredObject,
  context: FormatDesk & { readonly formats: BucketFormats },
  content?: PeekedContent,
): Promise<SealedObject | PlainObject> {
  return (await context.formats.identify({ ref, stored, content }, context)) as unknown as SealedObject | PlainObject;
}

export function provenLength(
  object: SealedObject | PlainObject,
  _ref: ObjectRef,
  _context: FormatDesk,
): Proven<number> | Promise<Proven<number>> {
  if (object.provenBytes !== undefined) return object.provenBytes;
  return Promise.resolve(object.details()).then(({ plaintextBytes }) => plaintextBytes);
}

export async function layoutOf(object: SealedObject, _ref: ObjectRef, _context: FormatDesk): Promise<Layout> {
  return object.layout();
}

export async function manifestOf(object: SealedObject, _ref: ObjectRef, _context: FormatDesk): Promise<Manifest> {
  return object.manifest();
}

export function openManifest(object: SealedObject, tail: Buffer, _ref: ObjectRef, _context: FormatDesk): Manifest {
  return object.openManifest(tail);
}
