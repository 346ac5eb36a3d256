import { compareKeys, type KeyIndex } from './key-order.ts';

/** A key, or what several keys begin with up to the delimiter. */
export type ListItem = { readonly key: string } | { readonly commonPrefix: string };

export interface KeyPage {
  readonly items: readonly ListItem[];
  readonly truncated: boolean;
}

/**
 * One page of a listing. `after` is exclusive; when it is itself a common prefix (the NextMarker of a page that ended
 * with one), that whole prefix is past.
 */
export function listKeys(
  keys: KeyIndex,
  asked: { readonly prefix: string; readonly delimiter: string; readonly after: string; readonly maxItems: number },
): KeyPage {
  const { prefix, delimiter, after, maxItems } = asked;
  const items: ListItem[] = [];
  let place = placeAfter(keys, asked);
  for (let key = keys.at(place); key?.startsWith(prefix); key = keys.at(place)) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const commonPrefix = cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
    if (commonPrefix === undefined || commonPrefix !== after) {
      // Asking for nothing is answered by nothing, and by "there is no more": as S3 does.
      if (items.length === maxItems) return { items, truncated: maxItems > 0 };
      items.push(commonPrefix === undefined ? { key } : { commonPrefix });
    }
    place = commonPrefix === undefined ? place + 1 : keys.firstPlace((other) => !other.startsWith(commonPrefix), place);
  }
  return { items, truncated: false };
}

function placeAfter(keys: KeyIndex, { prefix, after }: { readonly prefix: string; readonly after: string }): number {
  const afterMarker = after === '' ? 0 : keys.firstPlace((key) => compareKeys(key, after) > 0);
  return Math.max(
    afterMarker,
    keys.firstPlace((key) => compareKeys(key, prefix) >= 0),
  );
}

/** What the next page begins after. */
export function lastItem(page: KeyPage): string | undefined {
  const last = page.items.at(-1);
  if (last === undefined) return undefined;
  return 'key' in last ? last.key : last.commonPrefix;
}
