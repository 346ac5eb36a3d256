import type { StoredAck } from '../dialects/dialect.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { OperationContext } from './services.ts';

/**
 * When what was just written was written, by the backend's clock, where its acknowledgement did not say. The gateway's
 * own clock if that object is another one already.
 */
export async function writtenAt(ref: ObjectRef, ack: StoredAck, context: OperationContext): Promise<Date> {
  const { services, signal } = context;
  const get = { ref: { ...ref, versionId: ack.versionId }, conditions: { ifMatch: `"${ack.etag}"` } };
  const stored = await services.store.head(get, signal).catch(() => undefined);
  return stored?.lastModified ?? services.now();
}
