/**
 * Runs `work` for each item, at most `concurrency` of them at once. After a failure nothing more is begun, and the
 * failure is thrown once what is running has ended.
 */
export async function forEachOf<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly thrown: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length && failure === undefined; at = next++) {
      try {
        await work(items[at] as T, at);
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (failure !== undefined) throw (failure as { readonly thrown: unknown }).thrown;
}
