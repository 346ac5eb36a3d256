import type { LegacySignature, SignatureClaim, VerifiedBody } from '../../dialects/front-dialect.ts';
import { clientError } from '../../errors.ts';
import type { Caller } from '../../tenants/directory.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';

/** Who signed a request, and its body. The body verifies what the signature says of it while it is read. */
export interface Identified {
  readonly caller: Caller;
  readonly body: VerifiedBody;
}

/**
 * Finds out who signed a request, and verifies the signature.
 * @throws GatewayError InvalidAccessKeyId, KeyStoreUnavailable, what the claim's `verify` throws, and the claim's own
 *   refusal of an older signature scheme that the tenant has not enabled
 */
export async function identify(
  claim: SignatureClaim,
  { askers, trace }: { readonly askers: Askers; readonly trace: RequestTrace },
): Promise<Identified> {
  const { directory, tools } = askers.services;
  const caller = await directory.caller(claim.accessKeyId);
  if (caller === undefined) {
    throw clientError('InvalidAccessKeyId', 'The access key id is not known to this gateway.');
  }
  const { tenant } = caller;
  if (claim.legacy !== undefined && !takesLegacy(tenant, claim.legacy)) {
    trace.hint = claim.legacy.setting;
    throw claim.legacy.refusal();
  }
  const body = claim.verify(caller.secret, tools.now());
  // The log learns these names only after verification. Otherwise anyone could write log lines in a tenant's name.
  trace.tenant = tenant.name;
  trace.accessKeyId = caller.accessKeyId;
  return { caller, body };
}

function takesLegacy({ legacySignatures }: Tenant, { presignedRead }: LegacySignature): boolean {
  return legacySignatures === 'all' || (legacySignatures === 'presigned-reads' && presignedRead);
}
