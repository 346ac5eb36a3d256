import type { Manifest } from '../envelope/footer.ts';
import type { ObjectFacts, ObjectRef } from '../operations/object.ts';
import type { OperationContext } from './services.ts';
import { shownEtag } from './shown-etag.ts';
import { checksumIn, type PlainObject, type SealedObject } from './stored.ts';

/**
 * The object in the client's terms.
 * @param manifest where it was read: then without a question for the ETag, and with the checksum if that is wanted
 * @throws what shownEtag throws
 */
export async function factsOf(
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
  {
    manifest,
    wantsChecksum = false,
  }: { readonly manifest?: Manifest | undefined; readonly wantsChecksum?: boolean } = {},
): Promise<ObjectFacts> {
  const { stored } = object;
  return {
    plaintextBytes: object.plaintextBytes,
    sealed: object.kind === 'sealed',
    etag: await shownEtag(object, ref, context, manifest),
    lastModified: stored.lastModified,
    metadata: stored.metadata,
    checksum: manifest && wantsChecksum ? checksumIn(manifest) : undefined,
    versionId: stored.versionId,
  };
}
