import { corrupted } from './corruption.ts';
import type { ObjectKeys } from './object-keys.ts';
import { SegmentOpener } from './part.ts';
import { checkPartHeader, type PartIdentity } from './part-header.ts';
import { PART_HEADER_BYTES, segmentCount } from './sizes.ts';

/**
 * A sealed part as it lies, passed on as it comes and verified on the way: header, every segment and its end. What is
 * passed on was not yet verified, so its receiver must be able to take it back.
 * @throws GatewayError ObjectCorrupted at the first segment that fails, or at the end for what is missing
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
