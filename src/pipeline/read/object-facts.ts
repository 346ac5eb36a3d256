import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import type { ObjectFacts } from '../../operations/object.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';
import { toldCrc64 } from './told-crc64.ts';

/**
 * Gathers what an answer tells the client about an object.
 * @param details the object's details, where they were read already: with them, ETag, length and checksum cost no
 *   request
 * @param withoutLength leaves the length out, because nobody asked for it, or because the details that tell it cannot
 *   be read
 * @throws what `shownEtag` and `IdentifiedObject.details` throw
 */
export async function factsOf(
  object: IdentifiedObject,
  context: OperationContext,
  {
    details,
    wantsChecksum = false,
    withoutLength = false,
    crc64,
  }: {
    readonly details?: ObjectDetails | undefined;
    readonly wantsChecksum?: boolean;
    readonly withoutLength?: boolean;
    /** Computes the CRC-64 of an object that has none, where its plaintext is at hand. */
    readonly crc64?: (() => Buffer) | undefined;
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
    ...(context.crc64 === 'told' && { crc64: await toldCrc64(object, context, { details, compute: crc64 }) }),
    versionId: stored.versionId,
  };
}
