import { randomBytes } from 'node:crypto';
import type { BackendConfig } from '../../backend/config.ts';
import { GatewayError } from '../../errors.ts';
import { ENTRY_BYTES } from '../../etags/etag-entry.ts';
import { type Backend, openBackend } from '../../gateway/open-backend.ts';
import { openEtags, openUploads, stagingBucketOf } from '../../gateway/open-stores.ts';
import type { KeysConfig } from '../../keys/config.ts';
import { isOutOfMemory } from '../../keys/store/redis-client.ts';
import { certificateExpiry } from '../../settings/certificates.ts';
import { type ExaminedConfig, examineConfig, showProblem } from '../../settings/config.ts';
import type { Finding } from '../../store/finding/store-finder.ts';
import { describeFinding } from '../../store/finding/words.ts';
import { Store } from '../../store/store.ts';
import { Staging } from '../../uploads/staging.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, JSON_OPTION, JSON_USAGE, readArguments } from '../shell/command.ts';
import { configFile, NO_FILE } from '../shell/config-file.ts';
import { ObjectClient } from '../shell/object-client.ts';
import { EXIT_FAILED, EXIT_OK, type Terminal } from '../shell/terminal.ts';
import type { Stores } from '../shell/with-stores.ts';
import { checkKeys } from './check-keys.ts';
import { CheckReport } from './check-report.ts';
import { probeAtRest } from './probe.ts';

/** What an interrupted check leaves in the key store expires after this time. */
const PROBE_KEEP_SECONDS = 60;
/** The tenant of the probes. No real tenant has this name, because names begin with a letter or a digit. */
const PROBE_TENANT = '_check';

/** S3 refuses signatures whose time differs by more than this. */
const SKEW_LIMIT_SECONDS = 15 * 60;
const SKEW_WARNING_SECONDS = 60;

export const checkCommand: Command = {
  usage: `check [options]

Reads the configuration, opens the key store with the root key, reaches the backend, compares clocks, tries the backend
access keys of tenants and access keys, sees whether the key store keeps the state of multipart uploads and the index of
ETags and whether the bucket for small parts is the gateway's own, finds out what the backend does (docs/stores.md), and
sends a probe object through the gateway to see that the backend holds ciphertext, and that it keeps metadata of awkward
forms. Where policies leave it to the backend to encrypt (inject), it tries whether the backend does, for each of them. Leaves no tenant, bucket or object behind.

      --bucket NAME   Put the probe into this bucket. Without it, a bucket is made and deleted.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, bucket: { type: 'string' } } as const;
    const { values } = readArguments(args, options, { most: 0 });
    const report = new CheckReport({ terminal, json: values.json === true });
    const file = configFile(values.config, terminal);
    const examined = examineConfig({ file, env: terminal.env, cwd: terminal.cwd });
    const { problems } = examined;
    for (const problem of problems) {
      report.add({ name: 'configuration', outcome: 'failed', detail: showProblem(problem) });
    }
    if (problems.length > 0 && file === undefined) {
      report.add({ name: 'configuration', outcome: 'failed', detail: NO_FILE });
    }
    if (problems.length === 0)
      report.add({ name: 'configuration', outcome: 'ok', detail: file ?? 'environment variables' });
    checkCertificate(examined, report, terminal);
    await checkParts({ examined, report, terminal, bucket: values.bucket });
    report.finish();
    return report.ok ? EXIT_OK : EXIT_FAILED;
  },
};

/**
 * Checks the certificate's validity in time. A certificate and key that make no connection are reported with the
 * configuration.
 */
function checkCertificate({ config, problems }: ExaminedConfig, report: CheckReport, terminal: Terminal): void {
  const cert = config?.tls.cert;
  if (cert === undefined || problems.some(({ setting }) => setting.startsWith('tls.'))) return;
  const expiry = certificateExpiry(cert, terminal.now());
  const outcome = expiry === undefined ? 'ok' : expiry.startsWith('expires') ? 'warning' : 'failed';
  report.add({ name: 'certificate', outcome, detail: `tls.cert ${expiry ?? 'and its key belong together'}` });
}

interface Check {
  readonly examined: ExaminedConfig;
  readonly report: CheckReport;
  readonly terminal: Terminal;
  readonly bucket: string | undefined;
}

/** Checks every part that can be checked, so that a wrong log level does not keep the backend from being tried. */
async function checkParts({ examined, report, terminal, bucket }: Check): Promise<void> {
  const stores = await checkPart('key store', usable(examined, 'keys'), report, (keys) => checkKeys(keys, report));
  const backend = await checkPart('backend', usable(examined, 'backend'), report, (section) =>
    checkBackend(section, report, terminal),
  );
  const { config } = examined;
  try {
    if (stores === undefined || backend === undefined || config === undefined) {
      report.add({ name: 'probe', outcome: 'skipped', detail: 'needs a key store and a backend that work' });
      return;
    }
    await report.attempt({ name: 'backend keys' }, () => checkBackendKeys(stores, { backend, report }));
    await report.attempt({ name: 'uploads', hint: hintOrFull(UPLOADS_HINT) }, () => checkUploads(config.keys, report));
    await report.attempt({ name: 'staging bucket' }, async () => {
      const bucket = stagingBucketOf(config, stores);
      const staging = new Staging({ bucket, store: new Store(backend.back, backend.connection) });
      const absent = (await staging.standing(new AbortController().signal)) === 'absent';
      const detail = absent ? `${bucket} is made when it is first needed` : `${bucket} is there for the gateway`;
      report.add({ name: 'staging bucket', outcome: 'ok', detail });
    });
    await report.attempt({ name: 'etags', hint: hintOrFull(ETAGS_HINT) }, () => checkEtags(config.keys, report));
    if (config.keys.tenant !== undefined) {
      const hint = 'Check with the root key’s configuration, over the same backend, proves ciphertext at rest.';
      const detail = 'not sent, since a sidecar cannot give itself an access key';
      report.add({ name: 'probe', outcome: 'warning', detail, hint });
      return;
    }
    const hint = 'With --bucket NAME the probe uses a bucket that exists.';
    await report.attempt({ name: 'probe', hint }, async () => {
      const onStore = (finding: Finding) => {
        report.add({ name: 'store', outcome: 'ok', detail: describeFinding(finding) });
      };
      const parts = { config, stores, backend, bucket, now: () => terminal.now(), onStore };
      for (const result of await probeAtRest(parts)) report.add({ name: 'probe', ...result });
    });
  } finally {
    await stores?.close();
    await backend?.close();
  }
}

/** Returns a section that has no problems. Checking with half a section would only fail in a misleading way. */
function usable<K extends 'keys' | 'backend'>(examined: ExaminedConfig, section: K): ExaminedConfig[K] | undefined {
  return examined.problems.some(({ setting }) => setting.startsWith(`${section}.`)) ? undefined : examined[section];
}

async function checkPart<C, T>(
  name: string,
  section: C | undefined,
  report: CheckReport,
  work: (section: C) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (section !== undefined) return report.attempt({ name }, () => work(section));
  report.add({ name, outcome: 'skipped', detail: 'not tried, because of the configuration' });
  return undefined;
}

async function checkBackend(section: BackendConfig, report: CheckReport, terminal: Terminal) {
  const backend = await openBackend({ backend: section });
  try {
    await backend.connection.check();
    const { place } = section;
    const shown = place.kind === 'endpoint' ? place.endpoint.origin : `the embedded store in ${place.directory}`;
    report.add({ name: 'backend', outcome: 'ok', detail: `${shown} answers and takes the credentials` });
    await report.attempt({ name: 'clock' }, () => checkClock(new ObjectClient(backend), report, terminal));
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

const FULL_HINT =
  'Redis’s memory is full (maxmemory): it takes no tenants, keys and uploads until it has room. Raise maxmemory, or ' +
  'lower uploads.openPerTenant or etags.keepSeconds (docs/keys.md, “Redis”).';

/** Returns the hint for an error of Redis. A full Redis refuses writes, as one does whose user has too few rights. */
function hintOrFull(hint: string): (error: unknown) => string {
  return (error) => (isOutOfMemory(error) ? FULL_HINT : hint);
}

const ETAGS_HINT = 'A Redis user with a list of commands needs those that docs/keys.md names for the index of ETags.';

/**
 * Checks the index of ETags. Without it, listings of buckets with MD5 ETags are right but slow, for no visible reason.
 */
async function checkEtags(keys: KeysConfig, report: CheckReport): Promise<void> {
  const index = await openEtags({ keys, etags: { keepSeconds: PROBE_KEEP_SECONDS } });
  const probes = [0, 1].map(() => ({ name: randomBytes(16), entry: randomBytes(ENTRY_BYTES) }));
  try {
    await index.write(probes);
    const kept = await index.read(probes.map(({ name }) => name));
    if (probes.some(({ entry }, at) => kept[at]?.equals(entry) !== true)) {
      throw new Error('the key store does not keep the index of ETags');
    }
    report.add({ name: 'etags', outcome: 'ok', detail: 'the key store keeps the index of ETags' });
  } finally {
    await index.close();
  }
}

const UPLOADS_HINT = 'A Redis user with a list of commands needs those that docs/keys.md names for uploads under way.';

/**
 * Checks the states of multipart uploads. A Redis user without the rights for them would be noticed only at the first
 * large file.
 */
async function checkUploads(keys: KeysConfig, report: CheckReport): Promise<void> {
  const uploads = await openUploads(keys);
  // The Redis user of a sidecar may count only uploads of its own tenant.
  const tenant = keys.tenant ?? PROBE_TENANT;
  const id = randomBytes(32).toString('hex');
  try {
    await uploads.create(id, [randomBytes(1)], PROBE_KEEP_SECONDS);
    const kept = (await uploads.append(id, randomBytes(1), PROBE_KEEP_SECONDS)) && (await uploads.mostEntries(id)) > 0;
    if (!kept || (await uploads.read(id))?.length !== 2 || (await uploads.header(id)) === undefined) {
      throw new Error('the key store does not keep the state of uploads that it took');
    }
    await uploads.countIn(tenant, id, PROBE_KEEP_SECONDS);
    await uploads.countOn(tenant, id, PROBE_KEEP_SECONDS);
    if ((await uploads.openUploads(tenant)) === 0) {
      throw new Error('the key store does not count the uploads that it keeps');
    }
    report.add({ name: 'uploads', outcome: 'ok', detail: 'the key store keeps the state of multipart uploads' });
  } finally {
    await uploads.delete(id).catch(() => undefined);
    await uploads.countOut(tenant, id).catch(() => undefined);
    await uploads.close();
  }
}

/**
 * Checks the backend keys of tenants and access keys. If one is wrong, all requests of an application are refused, and
 * its owner cannot see why.
 */
async function checkBackendKeys(
  { administration }: Stores,
  { backend, report }: { readonly backend: Backend; readonly report: CheckReport },
): Promise<void> {
  const owners = await administration.listBackendKeys();
  const { connection } = backend;
  let refused = 0;
  for (const { tenant, accessKeyId, key } of owners) {
    const credentials = { ...key, region: connection.region };
    try {
      await connection.check({ asker: 'caller', credentials });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'BackendKeyRefused') throw error;
      refused++;
      const whose = accessKeyId === undefined ? `tenant ${tenant}` : `access key ${accessKeyId} of tenant ${tenant}`;
      const command = accessKeyId === undefined ? `tenant set ${tenant}` : `credential set ${accessKeyId}`;
      report.add({
        name: 'backend keys',
        outcome: 'failed',
        detail: `the backend does not take ${key.accessKeyId}, the backend access key of ${whose}`,
        hint: `Give it a good one: ${command} --backend-access-key ID --backend-secret-file FILE`,
      });
    }
  }
  if (refused > 0 || owners.length === 0) return;
  const detail = `the backend takes ${owners.length === 1 ? 'the one' : `all ${owners.length}`} of tenants and access keys`;
  report.add({ name: 'backend keys', outcome: 'ok', detail });
}

async function checkClock(client: ObjectClient, report: CheckReport, terminal: Terminal): Promise<void> {
  const theirs = await client.clock();
  if (theirs === undefined) {
    report.add({ name: 'clock', outcome: 'warning', detail: 'the backend sends no Date to compare with' });
    return;
  }
  const skewSeconds = Math.round(Math.abs(theirs.getTime() - terminal.now().getTime()) / 1000);
  const outcome = skewSeconds > SKEW_LIMIT_SECONDS ? 'failed' : skewSeconds > SKEW_WARNING_SECONDS ? 'warning' : 'ok';
  const hint = outcome === 'ok' ? undefined : 'Signatures carry the time: keep both clocks right (NTP).';
  report.add({ name: 'clock', outcome, detail: `${skewSeconds} s from the backend’s`, hint });
}
