import { UnexplainedClaim } from '../../dialects/store-claim.ts';
import { GatewayError } from '../../errors.ts';
import type { KnownDigest } from '../../etags/etag-entry.ts';
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
 * The ETags that clients see of listed objects, in the order of the entries. They are the same that HEAD gives. Where
 * the policy says `md5`, the index is asked once for all of them, and the footer is read of each object that it lacks.
 * @throws GatewayError BackendUnavailable, KeyStoreUnavailable and others that are not about one object. The listing
 *   then fails, because a client would take a wrong ETag for a changed object.
 */
export async function listedEtags(
  listed: Listed,
  entries: readonly ListedEntry[],
  context: OperationContext,
): Promise<readonly string[]> {
  const { etags, formats, policy, tenant } = context;
  if (policy.etag === 'opaque') return entries.map(({ etag }) => clientEtag(etag));
  if (formats.write.asSent) return entries.map(({ etag }) => plainEtag(etag, policy));
  const shown = entries.map((entry) => etagWithoutRequest(entry, context));
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

/**
 * The ETag of an entry that can be told without asking for the object; undefined otherwise. A stored size that no
 * sealed object can have belongs to a plain object, or to one that cannot be opened.
 */
function etagWithoutRequest(entry: ListedEntry, { formats }: OperationContext): string | undefined {
  if (entry.deleteMarker === true) return '';
  if (formats.endBytes(entry.storedBytes) > 0) return undefined;
  return formats.readsUnmarked ? entry.etag : clientEtag(entry.etag);
}

/**
 * Finds the ETag of a listed object in its footer, by one GET of the object's end that is pinned to the listed object.
 */
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
    // The object's size is known now as well, so `plaintextSizes` need not ask for it.
    formats.knownSizes.set(bucket, key, content.object.etag, storedBytes, object.claimedBytes);
    const { id } = object;
    const digest = digestIn(object.detailsIn(tail), id, object.encryption);
    void etags.learn({ tenant, ref, backendEtag: content.object.etag }, digest);
    return etagOf(digest, etag);
  } catch (error) {
    if (isUnderCustomersKey(error)) void etags.learn({ tenant, ref, backendEtag: etag }, WITHOUT_MD5);
    if (concernsOneObjectOnly(error)) return clientEtag(etag);
    throw error;
  } finally {
    release();
  }
}

/**
 * What is known of an object that only its client can open: that it has no MD5 for others. The id is that of no object,
 * so the entry counts in listings alone.
 */
const WITHOUT_MD5: KnownDigest = { plain: false, md5: undefined, parts: 0, oid: Buffer.alloc(16) };

function isUnderCustomersKey(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'CustomerKeyNeeded';
}

/** The errors that are not about one object, and would occur for the others too. */
const CONCERNS_ALL: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'BackendUnavailable',
  'BackendError',
  'KeyStoreUnavailable',
  'SlowDown',
  'InternalError',
  'RequestTimeout',
]);

/**
 * Whether an error is about one object: it was replaced or deleted since, is archived, was altered, or may not be read
 * by the gateway. The other objects are listed all the same.
 */
function concernsOneObjectOnly(error: unknown): boolean {
  // The store refused the range or the pin, because another object is there by now.
  if (error instanceof UnexplainedClaim) return true;
  return error instanceof GatewayError && !CONCERNS_ALL.has(error.code);
}
