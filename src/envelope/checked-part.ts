import { corrupted } from './corruption.ts';
import type { ObjectKeys } from './object-keys.ts';
import { SegmentOpener } from './part.ts';
import { checkPartHeader, type PartIdentity } from './part-header.ts';
import { PART_HEADER_BYTES, segmentCount } from './sizes.ts';

/**
 * Passes on the stored bytes of a sealed part, and verifies them: its header, every segment, and that it is complete. A
 * chunk is passed on before all its segments were verified, so whoever takes the bytes must be able to drop them when
 * an error comes.
 * @throws GatewayError ObjectCorrupted at the first segment that fails, or at the end where bytes are missing
 */
export async function* checkedPart(
  source: AsyncIterable<Buffer>,
  { keys, ...part }: PartIdentity & { readonly keys: ObjectKeys },
): AsyncGenerator<Buffer, void, void> {
  const lastSegment = segmentCount(part.plaintextBytes) - 1;
  const segments = new SegmentOpener({ keys, header: part, firstSegment: 0, lastSegment });
  const header = Buffer.alloc(PART_HEADER_BYTES);
  let headerBytes = 0;
  for await (const chunk of source) {
    const taken = chunk.copy(header, headerBytes);
    headerBytes += taken;
    if (taken > 0 && headerBytes === PART_HEADER_BYTES) checkPartHeader(header, part, keys);
    if (taken < chunk.length) segments.push(chunk.subarray(taken));
    yield chunk;
  }
  if (headerBytes < PART_HEADER_BYTES) throw corrupted();
  segments.finish();
}
