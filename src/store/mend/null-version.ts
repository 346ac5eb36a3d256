import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { isAbsence } from '../pin.ts';

/** S3's name for the version of an object that was written without versioning. */
const NULL_VERSION = 'null';

/**
 * Reads the head of an object by a GET if a HEAD of its version `null` finds nothing. In a bucket without versioning,
 * Versity S3 Gateway 1.8 answers 404 to such a HEAD, although it answers the GET.
 * @param refusal what the HEAD was refused with
 * @param get asks for the same object and drops its bytes
 * @throws the refusal if the HEAD was of another version, or the GET is refused too
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
