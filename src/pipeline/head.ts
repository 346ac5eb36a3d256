import type { ObjectContent } from '../operations/answer.ts';
import type { HeadObject } from '../operations/operation.ts';
import { lookAt } from './etag-conditions.ts';
import { factsOf } from './facts.ts';
import { partRange } from './part-range.ts';
import { pinned, readingAgain } from './replaced.ts';
import type { OperationContext } from './services.ts';
import { manifestOf } from './stored.ts';
import { wantedRange } from './wanted-range.ts';

/** HeadObject: one backend HEAD; the size follows from the stored size and is checked against the sealed length. */
export function headObject(operation: HeadObject, context: OperationContext): Promise<ObjectContent> {
  return readingAgain(() => attemptHead(operation, context));
}

async function attemptHead(operation: HeadObject, context: OperationContext): Promise<ObjectContent> {
  const { ref, wantsChecksum } = operation;
  const object = await lookAt(operation, context);
  const ofPart = operation.part === undefined ? undefined : await partRange(operation.part, object, ref, context);
  const range = ofPart?.range ?? (await wantedRange(operation, object, context));
  const checked = wantsChecksum && range === undefined && object.kind === 'sealed';
  const manifest = checked ? await pinned(manifestOf(object, ref, context)) : undefined;
  return {
    kind: 'ObjectContent',
    facts: await factsOf(object, ref, context, { manifest, wantsChecksum }),
    range,
    partsCount: ofPart?.partsCount,
    overrides: operation.overrides,
    body: undefined,
  };
}
