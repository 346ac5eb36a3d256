import type { IdentifiedObject, ObjectDetails } from '../../formats/format.ts';
import type { ObjectFacts } from '../../operations/object.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';

/**
 * Tells an object in the client's terms.
 * @param details the object's, where they were read already: they tell ETag, length and checksum without a further request
 * @param withoutLength leave the length out: nobody asked for it, or the details that alone tell it cannot be read
 * @throws what `shownEtag` throws
 */
export async function factsOf(
  object: IdentifiedObject,
  context: OperationContext,
  {
    details,
    wantsChecksum = false,
    withoutLength = false,
  }: {
    readonly details?: ObjectDetails | undefined;
    readonly wantsChecksum?: boolean;
    readonly withoutLength?: boolean;
  } = {},
): Promise<ObjectFacts> {
  const { encryption, provenBytes, stored } = object;
  const plaintextBytes = details?.plaintextBytes ?? provenBytes;
  return {
    plaintextBytes: withoutLength ? undefined : (plaintextBytes ?? (await object.details()).plaintextBytes),
    encryption,
    etag: await shownEtag(object, context, details),
    lastModified: stored.lastModified,
    metadata: stored.metadata,
    checksum: wantsChecksum ? details?.checksum : undefined,
    versionId: stored.versionId,
  };
}
