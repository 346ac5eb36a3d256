import { Turns } from '../../shares/turns.ts';
import type { StoreFindings } from '../capabilities.ts';

const completes = new Turns();

/**
 * Runs the Completes of one upload one after another in this process, if the store is not atomic there. Versity S3
 * Gateway moves the parts of an upload one by one: two Completes at once may each get some of them, and then nobody can
 * complete the upload any more.
 * @param upload a text that names the upload
 */
export function completeInTurn<T>(upload: string, { capabilities }: StoreFindings, work: () => Promise<T>): Promise<T> {
  return capabilities.atomicCompletes ? work() : completes.take(upload, work);
}
