import type { StoredObject } from '../dialects/dialect.ts';
import { clientError } from '../errors.ts';
import type { ObjectContent } from '../operations/answer.ts';
import type { HeadObject } from '../operations/operation.ts';
import { resolveRange } from '../wire/range.ts';
import { backendEtags } from './etag.ts';
import type { OperationContext } from './services.ts';
import { factsOf, identify, manifestOf, readConditions } from './stored.ts';

/** HeadObject: one backend HEAD; the size follows from the stored size and is checked against the sealed length. */
export async function headObject(operation: HeadObject, context: OperationContext): Promise<ObjectContent> {
  const { ref, wantsChecksum } = operation;
  const conditions = readConditions(operation.conditions);
  const stored = await context.services.store.head({ ref, conditions }, context.signal);
  const object = await identify(ref, stored, context);
  const range = servedRange(operation, stored, object.plaintextBytes);
  const checked = wantsChecksum && range === undefined && object.kind === 'sealed';
  const manifest = checked ? await manifestOf(object, ref, context) : undefined;
  return {
    kind: 'ObjectContent',
    facts: factsOf(object, manifest),
    range,
    overrides: operation.overrides,
    body: undefined,
  };
}

function servedRange(operation: HeadObject, stored: StoredObject, plaintextBytes: number): ObjectContent['range'] {
  const { range, ifRange } = operation;
  if (range === undefined) return undefined;
  if (ifRange !== undefined && !rangeStillHolds(backendEtags(ifRange) ?? ifRange, stored)) return undefined;
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return resolved;
  throw clientError('InvalidRange', 'The requested range begins past the end of the object.', {
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

/** RFC 9110 §13.1.5: a strong ETag that matches, or exactly the Last-Modified date. `ifRange` in the backend's form. */
export function rangeStillHolds(ifRange: string, stored: StoredObject): boolean {
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === `"${stored.etag}"`;
  if (value.startsWith('W/')) return false;
  const date = Date.parse(value);
  return !Number.isNaN(date) && date === Math.floor(stored.lastModified.getTime() / 1000) * 1000;
}
