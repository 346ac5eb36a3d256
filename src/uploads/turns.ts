const turns = new Map<string, Promise<void>>();

/**
 * Does pieces of work of one name one after the other, in this process. A Complete of versitygw takes the parts of the
 * upload away one by one: two at once may each have some of them, and then nobody can complete the upload any more.
 */
export function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const done = (turns.get(name) ?? Promise.resolve()).then(work);
  const over = done.then(ignored, ignored).then(() => {
    if (turns.get(name) === over) turns.delete(name);
  });
  turns.set(name, over);
  return done;
}

function ignored(): void {}
