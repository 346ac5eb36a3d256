import { GatewayError } from '../../errors.ts';
import { openPipeline } from '../../gateway/gateway.ts';
import { allKeysOf } from '../../operations/listing.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { OperationContext } from '../../pipeline/context.ts';
import { type FoundObject, lookAtMetadata, repairMetadata } from '../../pipeline/copy/repair-metadata.ts';
import { RequestTrace } from '../../pipeline/trace.ts';
import type { Config } from '../../settings/config.ts';
import { policyFor } from '../../tenants/tenant.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  readArguments,
  required,
  UsageError,
} from '../shell/command.ts';
import { describeError } from '../shell/describe-error.ts';
import { EXIT_FAILED, EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { type Stores, withStores } from '../shell/with-stores.ts';

export const repairCommand: Command = {
  usage: `repair s3://BUCKET/KEY [options]

Makes an object readable again that is refused because its metadata or content headers are not those that it was sealed
with: its store did not keep them, or somebody changed them. It is sealed anew under what is there now, which is
printed; look at it first (--dry-run), because the gateway vouches for it from then on. Objects that are sound are left
alone. See docs/recovery.md.

      --prefix        KEY is a prefix, or empty: all objects whose keys begin with it.
      --dry-run       Print what would be repaired, and change nothing.
${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, prefix: { type: 'boolean' }, 'dry-run': { type: 'boolean' } } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const { bucket, key } = readPlace(required(positionals[0], 's3://BUCKET/KEY'), values.prefix === true);
    return withStores({ config: values.config, terminal }, async (stores, config) => {
      const repair = { bucket, dryRun: values['dry-run'] === true, terminal };
      const summary = await withContext(bucket, { config, stores }, async (context) => {
        const keys = values.prefix === true ? keysOf(bucket, key, context) : only(key);
        return repairAll(keys, repair, context);
      });
      const { checked, changed, failed } = summary;
      const done = repair.dryRun ? 'would be repaired' : 'repaired';
      terminal.warn(`${checked} checked, ${changed} ${done}, ${failed} failed.`);
      return failed === 0 ? EXIT_OK : EXIT_FAILED;
    });
  },
};

function readPlace(argument: string, isPrefix: boolean): { readonly bucket: string; readonly key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(argument) ?? [];
  if (bucket === undefined || (!isPrefix && (key ?? '') === '')) {
    throw new UsageError(`${argument} is no s3://BUCKET/KEY.`);
  }
  return { bucket, key: key ?? '' };
}

/**
 * Runs `work` with the rights of the gateway's own backend key, under the policy of the tenant that owns the bucket.
 */
async function withContext<T>(
  bucket: string,
  { config, stores }: { readonly config: Config; readonly stores: Stores },
  work: (context: OperationContext) => Promise<T>,
): Promise<T> {
  const tenants = await stores.administration.listTenants();
  const tenant = tenants.find((each) => policyFor(each, bucket) !== undefined);
  const policy = tenant && policyFor(tenant, bucket);
  if (tenant === undefined || policy === undefined) throw new CommandFailed(`No tenant has the bucket ${bucket}.`);
  const { services, close } = await openPipeline(config, stores);
  try {
    const signal = new AbortController().signal;
    const { tools } = services;
    const keys = tools.keySources.open({ tenant, policy, asked: undefined });
    const formats = tools.formatsFor(policy);
    // Rules say what clients may do; whoever repairs holds the root key, and comes over no connection.
    const client = { address: '', secure: true };
    return await work({ ...tools, tenant, client, policy, keys, formats, signal, trace: new RequestTrace() });
  } finally {
    await close();
  }
}

async function* only(key: string): AsyncGenerator<string> {
  yield key;
}

async function* keysOf(bucket: string, prefix: string, { store, signal }: OperationContext): AsyncGenerator<string> {
  const maxKeys = store.limits.entriesAPage;
  for (let after = ''; ; ) {
    const { entries, truncated } = await store.list(allKeysOf(bucket, { form: 1, prefix, after, maxKeys }), signal);
    for (const { key } of entries) yield key;
    const last = entries.at(-1)?.key;
    if (!truncated || last === undefined) return;
    after = last;
  }
}

interface Summary {
  checked: number;
  changed: number;
  failed: number;
}

async function repairAll(
  keys: AsyncIterable<string>,
  { bucket, dryRun, terminal }: { readonly bucket: string; readonly dryRun: boolean; readonly terminal: Terminal },
  context: OperationContext,
): Promise<Summary> {
  const summary: Summary = { checked: 0, changed: 0, failed: 0 };
  for await (const key of keys) {
    const ref: ObjectRef = { bucket, key };
    // The key is quoted, because it may contain line ends and control sequences for terminals.
    const name = JSON.stringify(`s3://${bucket}/${key}`);
    summary.checked++;
    try {
      const found = await lookAtMetadata(ref, context);
      if (found.state !== 'changed') continue;
      if (!dryRun) await repairMetadata(ref, found, context);
      summary.changed++;
      terminal.print(`${dryRun ? 'changed' : 'repaired'} ${name}: ${described(found)}`);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      // Only its client can open and seal such an object.
      if (error.code !== 'CustomerKeyNeeded') summary.failed++;
      terminal.warn(`${name}: ${error.code}: ${describeError(error)}`);
    }
  }
  return summary;
}

/** Renders metadata in one line of JSON: content headers by their neutral names, then user metadata. */
function described({ metadata: { content, user } }: FoundObject): string {
  return JSON.stringify({ ...content, metadata: Object.fromEntries(user) });
}
