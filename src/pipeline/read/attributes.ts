import type { Manifest } from '../../envelope/footer.ts';
import { identify, manifestOf, type PlainObject } from '../../formats/sx1/stored.ts';
import type { ObjectAttributes } from '../../operations/answer.ts';
import type { GetObjectAttributes } from '../../operations/operation.ts';
import { pinned, readingAgain } from '../../store/pin.ts';
import type { OperationContext } from '../context.ts';
import { partRange } from './part-range.ts';
import { factsOf } from './told-facts.ts';

/** GetObjectAttributes: from envelope and footer, never what the backend says of its ciphertext. */
export function objectAttributes(operation: GetObjectAttributes, context: OperationContext): Promise<ObjectAttributes> {
  return readingAgain(() => attempt(operation, context));
}

async function attempt(operation: GetObjectAttributes, context: OperationContext): Promise<ObjectAttributes> {
  const { ref, attributes } = operation;
  const stored = await context.store.head({ ref, conditions: {} }, context.signal);
  const object = await identify(ref, stored, context);
  if (object.kind === 'plain') {
    const parts = attributes.has('parts') ? await plainParts(operation, object, context) : undefined;
    return { kind: 'ObjectAttributes', asked: operation, facts: await factsOf(object, ref, context), parts };
  }
  const lengthInFooter = object.opened.head.multipart;
  const asked = attributes.has('parts') || attributes.has('size');
  const inFooter = attributes.has('checksum') || (lengthInFooter && asked);
  const manifest = inFooter ? await pinned(manifestOf(object, ref, context)) : undefined;
  return {
    kind: 'ObjectAttributes',
    asked: operation,
    facts: await factsOf(object, ref, context, {
      manifest,
      wantsChecksum: true,
      withoutLength: lengthInFooter && !asked,
    }),
    parts: attributes.has('parts') && manifest?.multipart ? partsOf(operation, manifest) : undefined,
  };
}

function partsOf({ maxParts, partNumberMarker }: GetObjectAttributes, { parts }: Manifest): ObjectAttributes['parts'] {
  const rest = parts.filter(({ partNumber }) => partNumber > partNumberMarker);
  const listed = rest.slice(0, maxParts).map(({ partNumber, plaintextBytes }) => ({ partNumber, plaintextBytes }));
  return { count: parts.length, listed, truncated: rest.length > maxParts };
}

async function plainParts(
  { ref }: GetObjectAttributes,
  object: PlainObject,
  context: OperationContext,
): Promise<ObjectAttributes['parts']> {
  const { partsCount } = await partRange(1, object, ref, context);
  return partsCount === undefined ? undefined : { count: partsCount, listed: undefined, truncated: false };
}
