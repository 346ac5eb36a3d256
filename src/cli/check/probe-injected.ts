import { createHash, randomBytes } from 'node:crypto';
import { isAsAsked, type StoreEncryption } from '../../dialects/store-encryption.ts';
import { GatewayError } from '../../errors.ts';
import { Protections } from '../../formats/protection.ts';
import { FORMATS, protectionWords } from '../../formats/table.ts';
import type { Backend } from '../../gateway/open-backend.ts';
import { DEFAULT_KEY_NAME } from '../../keys/key-names.ts';
import { CustomerKey } from '../../operations/encryption.ts';
import { Store } from '../../store/store.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { CompiledRules } from '../../tenants/rules/compiled-rules.ts';
import { decide } from '../../tenants/rules/decision.ts';
import type { Stores } from '../shell/with-stores.ts';

/** The most keys of the store's KMS that are tried. */
const MOST_KEYS = 20;

const { signal } = new AbortController();

/** What a try showed of one form in which the store is asked to encrypt by itself. */
export interface InjectedProbe {
  readonly name: 'store encryption';
  readonly outcome: 'ok' | 'failed';
  readonly detail: string;
  readonly hint?: string | undefined;
}

/**
 * Tries each form of encryption that policies leave to the store, by an object whose head is looked at. Nothing is
 * tried where no policy does.
 * @param bucket where the store may be tried; what is written there is removed
 */
export async function probeInjected(
  stores: Stores,
  backend: Pick<Backend, 'back' | 'connection'>,
  bucket: string,
): Promise<readonly InjectedProbe[]> {
  const probes: InjectedProbe[] = [];
  for (const [name, encryption] of await askedOf(stores)) {
    probes.push(await tryForm(name, encryption, { backend, bucket }));
  }
  return probes;
}

/** The forms that the policies of all tenants ask for, by their names. */
async function askedOf({ administration, rules }: Stores): Promise<ReadonlyMap<string, StoreEncryption>> {
  const asked = new Map<string, StoreEncryption>();
  const protections = new Protections(FORMATS);
  const [defaultProtection] = protectionWords();
  const applied = new Map((await rules.read()).map(({ tenant, rules: theirs }) => [tenant.name, theirs]));
  for (const { name, buckets } of await administration.listTenants()) {
    const theirs = applied.get(name) ?? [];
    const ruled = { buckets, rules: new CompiledRules(theirs, defaultProtection) };
    for (const pattern of [...buckets, ...theirs].map((each) => ('pattern' in each ? each.pattern : each.bucket))) {
      const policy = decide(ruled, pattern.replaceAll('*', 'x'))?.policy;
      if (policy === undefined || protections.formatsFor(policy).write.encrypter === undefined) continue;
      for (const [form, encryption] of formsOf(policy)) asked.set(form, encryption);
    }
  }
  return asked;
}

function formsOf({ inject = 'managed', keys = [DEFAULT_KEY_NAME] }: BucketPolicy): [string, StoreEncryption][] {
  switch (inject) {
    case 'managed':
      return [['inject: managed', { kind: 'managed' }]];
    case 'kms':
      return keys.slice(0, MOST_KEYS).map((key) => {
        const keyId = key === DEFAULT_KEY_NAME ? undefined : key;
        return [`inject: kms, key ${key}`, { kind: 'kms', keyId, context: undefined, bucketKey: false }];
      });
    case 'customer': {
      const key = randomBytes(32);
      const customer = new CustomerKey(key, createHash('md5').update(key).digest());
      return [['inject: customer', { kind: 'customer', key: customer }]];
    }
  }
}

async function tryForm(
  name: string,
  encryption: StoreEncryption,
  { backend, bucket }: { readonly backend: Pick<Backend, 'back' | 'connection'>; readonly bucket: string },
): Promise<InjectedProbe> {
  const failed = (what: string, hint?: string): InjectedProbe => ({
    name: 'store encryption',
    outcome: 'failed',
    detail: `${name}: ${what}`,
    hint,
  });
  if (encryption.kind === 'customer' && !backend.connection.secure) {
    return failed('backend.endpoint has no TLS, and keys would go to the backend in clear', NEEDS_TLS);
  }
  const store = new Store(backend.back, backend.connection);
  const ref = { bucket, key: `sealgate-check-${randomBytes(6).toString('hex')}` };
  const put = { ref, metadata: { content: {}, user: [] }, conditions: {}, body: Buffer.from('sealgate probe') };
  try {
    await store.put({ ...put, encryption }, signal);
    const key = encryption.kind === 'customer' ? encryption : undefined;
    const { encryptedAs } = await store.head({ ref, conditions: {}, encryption: key }, signal);
    if (isAsAsked(encryption, encryptedAs)) {
      return {
        name: 'store encryption',
        outcome: 'ok',
        detail: `${name}: the backend says that it encrypted a probe so`,
      };
    }
    return failed('the backend took the probe, and does not say that it is encrypted so', IGNORED);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return failed(`the backend refused the probe: ${error.message}`, HINTS[encryption.kind]?.[error.code]);
  } finally {
    await store.delete(ref, {}, signal).catch(() => undefined);
  }
}

const NEEDS_TLS = 'Reach the backend over https (backend.endpoint, backend.tls), or choose inject: managed or kms.';
const IGNORED =
  'Writes to such buckets would fail. Choose a store that encrypts by itself, or protection: seal (docs/stores.md).';
const NO_KMS = 'MinIO needs a KMS for it, such as MINIO_KMS_SECRET_KEY (docs/stores.md).';
const BLOCKED =
  'AWS blocks SSE-C in buckets that were made since April 2026. Allow it for each bucket, past the gateway, by ' +
  'PutBucketEncryption with BlockedEncryptionTypes: {EncryptionType: [NONE]}; check --bucket NAME tries that bucket.';
const NO_KEY_RIGHT = 'The backend’s user needs the right to use the key: kms:GenerateDataKey and kms:Decrypt at AWS.';

/** What to do about a refusal, by the form and the error. */
const HINTS: Readonly<Record<StoreEncryption['kind'], Readonly<Record<string, string>>>> = {
  managed: { NotImplemented: NO_KMS },
  kms: {
    NotImplemented: NO_KMS,
    KmsKeyNotFound: 'The rule’s keys are ids of keys in the backend’s KMS (docs/policy.md).',
    AccessDenied: NO_KEY_RIGHT,
  },
  customer: { AccessDenied: BLOCKED },
};
