import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { isAbsence } from '../pin.ts';

/** How S3 names the version of an object that was written without versioning. */
const NULL_VERSION = 'null';

/**
 * In a bucket without versioning, Versity S3 Gateway 1.8 answers 404 to a HEAD of the version `null`, and gives it to a
 * GET. So where a HEAD of that version finds nothing, a GET is asked too, and only its head is read.
 * @param refusal of the HEAD
 * @param get asks for the same object and gives up its bytes
 * @throws the refusal, where the HEAD was of another version or the GET is refused too
 */
export async function headOfNullVersion(
  refusal: unknown,
  { versionId }: ObjectRef,
  get: () => Promise<StoredObject>,
): Promise<StoredObject> {
  if (versionId !== NULL_VERSION || !isAbsence(refusal)) throw refusal;
  return get().catch(() => {
    throw refusal;
  });
}
