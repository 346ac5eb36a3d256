import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectPart } from '../../formats/object-details.ts';
import type { ObjectAttributes } from '../../operations/answer.ts';
import type { GetObjectAttributes } from '../../operations/operation.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { readingAgain } from '../../store/pin.ts';
import type { OperationContext } from '../context.ts';
import { type FirstAnswer, identifyAnswer, lookAt } from './first-answer.ts';
import { factsOf } from './object-facts.ts';

/**
 * Answers GetObjectAttributes from the object's envelope and footer. What the backend says of size, checksum and parts
 * concerns the ciphertext, and is not used.
 */
export function objectAttributes(operation: GetObjectAttributes, context: OperationContext): Promise<ObjectAttributes> {
  return readingAgain(async () => {
    const answer = await lookAt(operation.ref, context);
    return ofOneObject(answer, context, () => attributesIn(answer, operation, context));
  });
}

async function attributesIn(
  answer: FirstAnswer,
  operation: GetObjectAttributes,
  context: OperationContext,
): Promise<ObjectAttributes> {
  const { attributes } = operation;
  const object = await identifyAnswer(answer, context);
  const lengthAtEnd = object.provenBytes === undefined;
  const needsLength = attributes.has('parts') || attributes.has('size');
  const needsDetails = attributes.has('checksum') || (lengthAtEnd && needsLength);
  const details = needsDetails ? await object.details() : undefined;
  const withoutLength = lengthAtEnd && !needsLength;
  return {
    kind: 'ObjectAttributes',
    asked: operation,
    facts: await factsOf(object, context, { details, wantsChecksum: true, withoutLength }),
    parts: attributes.has('parts') ? await partsOf(object, details?.parts, operation) : undefined,
  };
}

async function partsOf(
  object: IdentifiedObject,
  parts: readonly ObjectPart[] | undefined,
  { maxParts, partNumberMarker }: GetObjectAttributes,
): Promise<ObjectAttributes['parts']> {
  if (parts === undefined) return countOf(object);
  const rest = parts.filter(({ partNumber }) => partNumber > partNumberMarker);
  const listed = rest.slice(0, maxParts).map(({ partNumber, plaintextBytes }) => ({ partNumber, plaintextBytes }));
  return { count: parts.length, listed, truncated: rest.length > maxParts };
}

/**
 * Counts the parts of an object that is stored as it was sent. The store tells no more of its parts than their number.
 */
async function countOf(object: IdentifiedObject): Promise<ObjectAttributes['parts']> {
  const { partsCount } = await object.part(1);
  return partsCount === undefined ? undefined : { count: partsCount, listed: undefined, truncated: false };
}
