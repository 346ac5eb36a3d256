import { UnexplainedClaim } from '../../dialects/store-claim.ts';
import { GatewayError } from '../../errors.ts';
import { PLAIN_OBJECT } from '../../etags/etag-entry.ts';
import { corrupted } from '../../formats/refusals.ts';
import { forEachOf } from '../../shares/bounded-work.ts';
import { clientEtag } from '../../store/etag.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { OperationContext } from '../context.ts';
import { digestIn, etagOf, plainEtag } from '../etags/shown-etag.ts';
import { type Listed, type ListedEntry, refOf } from './listed-sizes.ts';

/** How many footers a listing reads at once. */
const FOOTERS_AT_ONCE = 16;

/**
 * The ETags that clients see of listed objects, in the entries' order, the same as HEAD gives. In mode `md5` by one
 * look at the index for all of them, and a request for the footer of each that it does not know.
 * @throws GatewayError BackendUnavailable, KeyStoreUnavailable and their kin: a wrong ETag would look like a changed
 *   object, and one that is none like a new one
 */
export async function listedEtags(
  listed: Listed,
  entries: readonly ListedEntry[],
  context: OperationContext,
): Promise<readonly string[]> {
  const { etags, formats, policy, tenant } = context;
  if (policy.etag === 'opaque') return entries.map(({ etag }) => clientEtag(etag));
  if (formats.write.asSent) return entries.map(({ etag }) => plainEtag(etag, policy));
  const shown = entries.map((entry) => withoutLook(entry, context));
  const asked = entries.flatMap((entry, at) => (shown[at] === undefined ? [{ entry, at }] : []));
  const known = await etags.find(
    asked.map(({ entry }) => ({ tenant, ref: refOf(listed, entry), backendEtag: entry.etag })),
  );
  await forEachOf(asked, FOOTERS_AT_ONCE, async ({ entry, at }, nth) => {
    const digest = known[nth];
    shown[at] = digest === undefined ? await etagByFooter(listed, entry, context) : etagOf(digest, entry.etag);
  });
  return shown as string[];
}

/** A size that no sealed object has belongs to a plain object, or to one that cannot be opened. */
function withoutLook(entry: ListedEntry, { formats }: OperationContext): string | undefined {
  if (entry.deleteMarker === true) return '';
  if (formats.endBytes(entry.storedBytes) > 0) return undefined;
  return formats.readsUnmarked ? entry.etag : clientEtag(entry.etag);
}

/** By one request, which brings the object's head and its end, pinned to the object that was listed. */
async function etagByFooter(listed: Listed, entry: ListedEntry, context: OperationContext): Promise<string> {
  const { budget, etags, formats, store, tenant, signal } = context;
  const { key, etag, storedBytes } = entry;
  const { bucket } = listed;
  const ref = refOf(listed, entry);
  const suffixBytes = formats.endBytes(storedBytes);
  const release = budget.reserve(suffixBytes);
  try {
    const conditions = { ifMatch: `"${etag}"` };
    const content = await store.get({ ref, range: { suffixBytes }, conditions }, signal);
    const tail = await collect(content.body, suffixBytes, () => corrupted('The backend sent more than was asked.'));
    const object = await formats.identify({ ref, stored: content.object }, context);
    etags.countFooter();
    // What its size is was the same question.
    formats.knownSizes.set(bucket, key, content.object.etag, storedBytes, object.claimedBytes);
    const { id } = object;
    const digest = id === undefined ? PLAIN_OBJECT : digestIn(object.detailsIn(tail), id);
    void etags.learn({ tenant, ref, backendEtag: content.object.etag }, digest);
    return etagOf(digest, etag);
  } catch (error) {
    if (isOfThisObject(error)) return clientEtag(etag);
    throw error;
  } finally {
    release();
  }
}

const OF_ALL: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'BackendUnavailable',
  'BackendError',
  'KeyStoreUnavailable',
  'SlowDown',
  'InternalError',
  'RequestTimeout',
]);

/** Replaced or deleted since, archived, altered, not the gateway's to read: it must not take the others away. */
function isOfThisObject(error: unknown): boolean {
  // A store refuses the end of what is another object by now in several ways.
  if (error instanceof UnexplainedClaim) return true;
  return error instanceof GatewayError && !OF_ALL.has(error.code);
}
