import type { StoreFindings } from '../capabilities.ts';

const turns = new Map<string, Promise<void>>();

/**
 * Does the Completes of one upload one after the other, in this process, where the store is not atomic there. Versity S3
 * Gateway moves the parts of an upload one by one: two Completes at once may each get some of them, and then nobody can
 * complete the upload any more.
 * @param upload names the upload
 */
export function completeInTurn<T>(upload: string, { capabilities }: StoreFindings, work: () => Promise<T>): Promise<T> {
  return capabilities.atomicCompletes ? work() : inTurn(upload, work);
}

/** Does pieces of work of one name one after the other. */
export function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const done = (turns.get(name) ?? Promise.resolve()).then(work);
  const over = done.then(ignored, ignored).then(() => {
    if (turns.get(name) === over) turns.delete(name);
  });
  turns.set(name, over);
  return done;
}

function ignored(): void {}
