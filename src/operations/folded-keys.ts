/**
 * The keys that name the same object as `key` does. Stores that keep objects as files take `/a` and `a` for one object
 * and list it as `a`. So what was sealed, or is forbidden, under one of them is so under the other.
 * @param folds whether the store is one of those
 */
export function namesForOneObject(key: string, folds: boolean): readonly string[] {
  if (!folds) return [key];
  return key.startsWith('/') ? [key, key.slice(1)] : [key, `/${key}`];
}
