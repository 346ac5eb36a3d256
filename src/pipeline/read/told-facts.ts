import type { Manifest } from '../../envelope/footer.ts';
import { checksumIn, lengthIn, type PlainObject, provenLength, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectFacts, ObjectRef } from '../../operations/object.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';

/**
 * The object in the client's terms.
 * @param manifest the footer's, where it was read already: it tells ETag, length and checksum without a further request
 * @param withoutLength leave the length out: nobody asked for it, or the footer that alone tells it cannot be read
 * @throws what shownEtag throws
 */
export async function factsOf(
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
  {
    manifest,
    wantsChecksum = false,
    withoutLength = false,
  }: {
    readonly manifest?: Manifest | undefined;
    readonly wantsChecksum?: boolean;
    readonly withoutLength?: boolean;
  } = {},
): Promise<ObjectFacts> {
  const { stored } = object;
  return {
    plaintextBytes: withoutLength
      ? undefined
      : manifest
        ? lengthIn(manifest)
        : await provenLength(object, ref, context),
    sealed: object.kind === 'sealed',
    etag: await shownEtag(object, ref, context, manifest),
    lastModified: stored.lastModified,
    metadata: stored.metadata,
    checksum: manifest && wantsChecksum ? checksumIn(manifest) : undefined,
    versionId: stored.versionId,
  };
}
