import type { Secret } from '../../secret.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { LegacySignatures, Tenant } from '../../tenants/tenant.ts';
import {
  BACKEND_KEY_OPTIONS,
  BACKEND_KEY_USAGE,
  GIVEN_KEY_OPTIONS,
  GIVEN_KEY_USAGE,
  NO_BACKEND_KEY_OPTION,
  NO_BACKEND_KEY_USAGE,
  readBackendKey,
  readGivenKey,
} from '../key/key-options.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
  UsageError,
} from '../shell/command.ts';
import { EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { textTable, textTime } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import { type BucketOption, BucketOptions } from './bucket-option.ts';

const BUCKET_OPTIONS = new BucketOptions();
const BUCKET_OPTION = { bucket: { type: 'string', multiple: true } } as const;
const SIGV2_OPTION = { sigv2: { type: 'string' } } as const;
const MOST_PATTERNS = 1000;

const SIGV2_USAGE = `      --sigv2 on|off|presigned-reads
                      Take AWS Signature Version 2 from old clients too. Off by default: it leaves most of a request
                      unsigned, its body among it. With presigned-reads only that of URLs is taken, and of GET and HEAD
                      alone: boto3 makes such ones in us-east-1 unless signature_version = s3v4 is set.`;

const BUCKET_USAGE = `      --bucket PATTERN[:POLICY]…   A bucket of the tenant, or several: acme-*. May be given several times.
                      Policies, after a colon each:
                        mixed              objects that are not sealed are served as they are
                        anonymous          requests without a signature go to the backend unsigned: its bucket policy
                                           decides, and what it yields is opened
                        ${BUCKET_OPTIONS.protectionUsage().join(`\n${' '.repeat(24)}`)}
                        inject=managed|kms|customer
                                           with protection=inject: with keys of the store, of its KMS, or with keys
                                           that are derived from the tenant's (docs/policy.md)
                        location=warn      a moved object is served and counted, not refused
                        metadata=warn      changed metadata is served and counted, not refused
                        etag=md5           ETags are MD5s of the plaintext, as S3's own, for clients that compare them
                        quantum=0|1|2      smallest part of multipart uploads: 1 MiB, 5 MiB, 100 KiB`;

export const tenantAdd: Command = {
  usage: `tenant add NAME --bucket PATTERN … [options]

${BUCKET_USAGE}
${SIGV2_USAGE}
${BACKEND_KEY_USAGE}
${GIVEN_KEY_USAGE}
      --key-ring ID   Use the key ring that an earlier tenant of this name left behind: its objects open again.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...JSON_OPTION,
      ...GIVEN_KEY_OPTIONS,
      ...BUCKET_OPTION,
      ...SIGV2_OPTION,
      ...BACKEND_KEY_OPTIONS,
      'key-ring': { type: 'string' },
    } as const;
    const { values, positionals } = readArguments(args, options, { most: MOST_PATTERNS });
    const { name, buckets } = readNameAndBuckets(positionals, values.bucket);
    if (buckets === undefined) throw new UsageError('--bucket is missing: which buckets are the tenant’s?');
    const legacySignatures = readSigV2(values.sigv2);
    const backend = readBackendKey(values, terminal);
    const given = readGivenKey(values, terminal);
    const ringId = values['key-ring'];
    const settings = { buckets, legacySignatures, backend };
    const added = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.addTenant({ name, ...settings, ...given, ...(ringId !== undefined && { ringId }) }),
    );
    printCredential(terminal, {
      tenant: added.tenant.name,
      accessKeyId: added.accessKeyId,
      secret: added.secret,
      json: values.json === true,
      note: describeBuckets(added.tenant.buckets),
    });
    return EXIT_OK;
  },
};

export const tenantSet: Command = {
  usage: `tenant set NAME [options]

Changes what is given and leaves the rest. --bucket replaces all of the tenant's buckets.

${BUCKET_USAGE}
${SIGV2_USAGE}
${BACKEND_KEY_USAGE}
${NO_BACKEND_KEY_USAGE}
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...JSON_OPTION,
      ...BUCKET_OPTION,
      ...SIGV2_OPTION,
      ...BACKEND_KEY_OPTIONS,
      ...NO_BACKEND_KEY_OPTION,
    } as const;
    const { values, positionals } = readArguments(args, options, { most: MOST_PATTERNS });
    const { name, buckets } = readNameAndBuckets(positionals, values.bucket);
    const legacySignatures = readSigV2(values.sigv2);
    const backend = readBackendKey(values, terminal);
    if (buckets === undefined && legacySignatures === undefined && backend === undefined) {
      throw new UsageError('Nothing to change: give --bucket, --sigv2, --backend-access-key or --no-backend-key.');
    }
    const tenant = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.changeTenant(name, { buckets, legacySignatures, backend }),
    );
    if (values.json) terminal.print(JSON.stringify(tenantForScripts(tenant), undefined, 2));
    else terminal.print(`Tenant ${name} now has ${[describeBuckets(tenant.buckets), ...extras(tenant)].join('; ')}.`);
    return EXIT_OK;
  },
};

export const tenantList: Command = {
  usage: `tenant list [options]\n\n${CONFIG_USAGE}\n${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values } = readArguments(args, { ...CONFIG_OPTION, ...JSON_OPTION }, { most: 0 });
    const tenants = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.listTenants(),
    );
    if (values.json) terminal.print(JSON.stringify(tenants.map(tenantForScripts), undefined, 2));
    else if (tenants.length === 0)
      terminal.print(`No tenants yet. Create one: ${terminal.program} tenant add NAME --bucket PATTERN`);
    else terminal.print(textTable(['TENANT', 'KEY RING', 'CREATED', 'BUCKETS', 'SETTINGS'], tenants.map(tenantRow)));
    return EXIT_OK;
  },
};

/** Reads `NAME --bucket a b`, because people expect an option to take all that follows. */
function readNameAndBuckets(
  [name, ...more]: readonly string[],
  patterns: readonly string[] | undefined,
): { readonly name: string; readonly buckets: BucketOption[] | undefined } {
  if (patterns === undefined && more.length > 0) throw new UsageError(`Unexpected argument: ${more[0]}`);
  return { name: required(name, 'NAME'), buckets: patterns && BUCKET_OPTIONS.read([...patterns, ...more]) };
}

const SIGV2: Readonly<Record<string, LegacySignatures>> = {
  on: 'all',
  off: 'none',
  'presigned-reads': 'presigned-reads',
};

function readSigV2(value: string | undefined): LegacySignatures | undefined {
  if (value === undefined) return undefined;
  const chosen = Object.hasOwn(SIGV2, value) ? SIGV2[value] : undefined;
  if (chosen === undefined) throw new UsageError('--sigv2 takes on, off or presigned-reads.');
  return chosen;
}

/** Prints a new access key. This is the only place where a secret is printed. */
export function printCredential(
  terminal: Terminal,
  made: {
    readonly tenant: string;
    readonly accessKeyId: string;
    readonly secret: Secret;
    readonly json: boolean;
    readonly note?: string;
  },
): void {
  const { tenant, accessKeyId, secret } = made;
  if (made.json) {
    terminal.print(JSON.stringify({ tenant, accessKeyId, secretAccessKey: secret.reveal() }));
    return;
  }
  terminal.print(
    [
      `tenant      ${tenant}`,
      ...(made.note === undefined ? [] : [`buckets     ${made.note}`]),
      `access key  ${accessKeyId}`,
      `secret      ${secret.reveal()}`,
      '',
      'The secret is shown this once. Keep it where your application finds it.',
    ].join('\n'),
  );
}

function tenantRow(tenant: Tenant): string[] {
  const settings = extras(tenant).join(', ') || '-';
  return [tenant.name, tenant.ringId, textTime(tenant.createdAt), describeBuckets(tenant.buckets), settings];
}

/** Describes what differs from the defaults, except the buckets. */
function extras({ legacySignatures, backend }: Tenant): string[] {
  return [
    ...(legacySignatures === 'none' ? [] : [legacySignatures === 'all' ? 'sigv2' : 'sigv2 of presigned reads']),
    ...(backend === undefined ? [] : [`backend key ${backend.accessKeyId}`]),
  ];
}

function describeBuckets(buckets: readonly BucketPolicy[]): string {
  return buckets.map((policy) => BUCKET_OPTIONS.describe(policy)).join(', ');
}

function tenantForScripts({ name, ringId, createdAt, buckets, legacySignatures, backend }: Tenant) {
  return {
    tenant: name,
    keyRing: ringId,
    createdAt: createdAt.toISOString(),
    buckets,
    sigv2: legacySignatures === 'presigned-reads' ? legacySignatures : legacySignatures === 'all',
    backendAccessKeyId: backend?.accessKeyId ?? null,
  };
}
