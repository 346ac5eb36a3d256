import type {
  FrontDialect,
  LegacySignature,
  ParsedRequest,
  SignatureClaim,
  UploadForm,
  VerifiedBody,
} from '../../dialects/front-dialect.ts';
import { clientError } from '../../errors.ts';
import type { Sharer } from '../../shares/sharer.ts';
import type { Caller } from '../../tenants/directory.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { OperationTools } from '../context.ts';
import type { RequestTrace } from '../trace.ts';
import { anonymousTenant } from './anonymous.ts';
import type { Askers } from './askers.ts';

/** What came in, as far as it was read: its operation, its document's reader, or a form opened up to its file. */
export type Asked = Exclude<ParsedRequest, { kind: 'form' }> | UploadForm;

/** Whose a request is, with whose rights it goes to the backend, and its body. */
export interface Admitted {
  readonly tenant: Tenant;
  /** With the rights, the memory and the connections that the request has. */
  readonly tools: OperationTools;
  /** False when nobody signed it: then the backend's word on the bucket counts, and no tenant's rights. */
  readonly signed: boolean;
  readonly body: VerifiedBody;
}

/**
 * Verifies a request's signature; or, without one, finds the tenant that its bucket belongs to.
 * @throws GatewayError InvalidAccessKeyId, AnonymousRequest, those of the claim's `verify`, KeyStoreUnavailable
 */
export async function admit(
  asked: Asked,
  came: {
    readonly request: WireRequest;
    readonly front: FrontDialect;
    readonly bucket: string | undefined;
    readonly askers: Askers;
    readonly trace: RequestTrace;
  },
): Promise<Admitted> {
  const { request, front, askers, trace } = came;
  const claim = 'claim' in asked ? asked.claim : front.readClaim(request, askers.services.settings);
  const { address } = request.client;
  // A form was signed to be handed on, as a presigned URL is.
  if (claim !== undefined) return authenticate(claim, { askers, trace, address, handedOn: 'claim' in asked });
  const tenant = await anonymousTenant(came.bucket, askers);
  const tools = sharedBy({ tenant: tenant.name, client: address }, askers.anonymous, askers);
  const body = 'claim' in asked ? asked.unsignedBody() : front.unsignedBody(request);
  trace.tenant = tenant.name; // beside which the log has no access key
  return { signed: false, tools, tenant, body };
}

async function authenticate(
  claim: SignatureClaim,
  came: {
    readonly askers: Askers;
    readonly trace: RequestTrace;
    readonly address: string;
    readonly handedOn: boolean;
  },
): Promise<Admitted> {
  const { askers } = came;
  const { caller, body } = await identify(claim, came);
  const { tenant } = caller;
  const handedOn = came.handedOn || claim.presigned === true;
  const sharer = { tenant: tenant.name, client: handedOn ? caller.accessKeyId : came.address };
  return { signed: true, tools: sharedBy(sharer, askers.withKey(caller.backend), askers), tenant, body };
}

/**
 * Who signed a request.
 * @throws GatewayError InvalidAccessKeyId, those of the claim's `verify`, KeyStoreUnavailable
 */
export async function identify(
  claim: SignatureClaim,
  { askers, trace }: { readonly askers: Askers; readonly trace: RequestTrace },
): Promise<{ readonly caller: Caller; readonly body: VerifiedBody }> {
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
  // Named in the log only now: an unverified name would let anyone write log lines in a tenant's name.
  trace.tenant = tenant.name;
  trace.accessKeyId = caller.accessKeyId;
  return { caller, body };
}

/** The same tools, of whose memory and connections one sharer takes its part. */
function sharedBy(sharer: Sharer, tools: OperationTools, askers: Askers): OperationTools {
  const budget = askers.services.memory.of(sharer);
  const store = tools.store.sharedBy(sharer, budget);
  return { ...tools, budget, store, staging: tools.staging.sharedBy(sharer, budget) };
}

function takesLegacy({ legacySignatures }: Tenant, { presignedRead }: LegacySignature): boolean {
  return legacySignatures === 'all' || (legacySignatures === 'presigned-reads' && presignedRead);
}
