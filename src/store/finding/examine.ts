import type { BackendConnection } from '../../backend/connection.ts';
import type { BackendDialect } from '../../dialects/backend-dialect.ts';
import { GatewayError } from '../../errors.ts';
import { allKeysOf } from '../../operations/listing.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import { ALL_CAPABILITIES } from '../capabilities.ts';
import { type KnownStore, type StoreSigns, signsOf } from '../known-stores.ts';
import { Store } from '../store.ts';
import type { Evidence, Examination } from './evidence.ts';
import {
  isAway,
  MOST_KEYS,
  type ProbePlace,
  TORN_MILLISECONDS,
  tryAbortedComplete,
  tryCompletes,
  tryDeletes,
  tryEncryption,
  tryFirstSlash,
  tryPuts,
  tryTornUpload,
  tryVerbatimKeys,
} from './probes.ts';

/** Begins the keys of all probes. */
const PROBES = 'sealgate-probe/';
/** After this time a later look removes what a killed one left behind, because no probe can be using it any more. */
const LEFT_BEHIND_MILLISECONDS = 3_600_000;
/** How long a gateway that stops waits for the clean-up at most. */
const CLEAR_MILLISECONDS = 2000;

export interface ExaminationOptions {
  readonly back: BackendDialect;
  readonly connection: BackendConnection;
  /** The bucket in which the probes lie. It exists, and holds no tenant's data. */
  readonly bucket: string;
  readonly knownStores: readonly KnownStore[];
  readonly now: () => Date;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly signal: AbortSignal;
  /** The default is TORN_MILLISECONDS. */
  readonly tornMilliseconds?: number | undefined;
}

/** What a look brings: first what is seen at once; a second later also whether uploads that break off vanish. */
export interface Look {
  readonly atOnce: Examination;
  /** Rejects as `examine` does. When it settles, everything that the look wrote is removed. */
  readonly whole: Promise<Examination>;
}

/**
 * Tries what the store does, with some thirty small requests and one upload that breaks off, all of them below one
 * prefix.
 * @throws GatewayError BackendUnavailable, SlowDown if the store does not answer; AccessDenied, NoSuchBucket … if
 * nothing can be written there
 */
export async function examine(options: ExaminationOptions): Promise<Look> {
  const { back, connection, bucket, knownStores, now, randomBytes, signal, tornMilliseconds } = options;
  const signs: StoreSigns[] = [];
  const answered = (answer: IncomingResponse) => void signs.push(signsOf(answer));
  const store = new Store(back, connection, { findings: { capabilities: ALL_CAPABILITIES, pending: [], answered } });
  const place = { store, bucket, prefix: `${PROBES}${randomBytes(12).toString('hex')}/`, signal };
  const key = `${place.prefix}k`;
  try {
    let evidence: Evidence = await tryPuts(place, key);
    const keepsNames = knownStores.some(
      (row) => row.capabilities.verbatimKeys && signs.some((sign) => row.isNamedBy(sign)),
    );
    const others = [
      () => tryCompletes(place, key),
      () => tryAbortedComplete(place, key),
      () => tryFirstSlash(place, key),
      ...(keepsNames ? [() => tryVerbatimKeys(place)] : []),
      () => tryEncryption(place, `${place.prefix}e`),
      () => tryDeletes(place, key),
    ];
    for (const attempt of others) evidence = { ...evidence, ...(await attempt().catch(emptyIfRefused)) };
    const whole = tryTornUpload(place, `${place.prefix}t`, tornMilliseconds ?? TORN_MILLISECONDS)
      .catch(emptyIfRefused)
      .then((torn) => ({ signs, evidence: { ...evidence, ...torn } }))
      .finally(() => clear(place, now()));
    whole.catch(() => undefined); // whoever waits for it gets the error
    return { atOnce: { signs: signs.slice(), evidence }, whole };
  } catch (error) {
    await clear(place, now());
    throw error;
  }
}

/**
 * Makes no evidence of an attempt that the store refused for other reasons, or that it failed at (500), so that the
 * gateway does not try it for ever.
 * @throws an error that says that the store does not answer
 */
function emptyIfRefused(error: unknown): Evidence {
  if (!(error instanceof GatewayError)) throw error;
  if (isAway(error) && error.details.backendStatus !== '500') throw error;
  return {};
}

/** Removes what this look wrote, and what others left behind long ago. */
async function clear(place: ProbePlace, now: Date): Promise<void> {
  const old = now.getTime() - LEFT_BEHIND_MILLISECONDS;
  // The look's own signal is not used here, because it may be what ended the look.
  const signal = AbortSignal.timeout(CLEAR_MILLISECONDS);
  try {
    await clearObjects(place, old, signal);
    // A look aborts its own uploads, so these are of looks that were killed. MinIO lists none of them, since the prefix
    // is no whole key, and removes old ones by itself.
    await place.store.uploads.abortOlder({ bucket: place.bucket, prefix: PROBES, before: new Date(old) }, signal);
  } catch {
    // A later look will remove it.
  }
}

async function clearObjects({ store, bucket, prefix }: ProbePlace, old: number, signal: AbortSignal): Promise<void> {
  const { entries } = await store.list(allKeysOf(bucket, { prefix: PROBES, maxKeys: MOST_KEYS }), signal);
  const mine = entries.filter(({ key, lastModified }) => key.startsWith(prefix) || lastModified.getTime() < old);
  for (const { key } of mine) await store.delete({ bucket, key }, {}, signal);
}
