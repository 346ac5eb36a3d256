import type { ParsedRequest, SignatureClaim, UploadForm, VerifiedBody } from '../../dialects/front-dialect.ts';
import type { Sharer } from '../../shares/sharer.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { OperationTools } from '../context.ts';
import type { RequestTrace } from '../trace.ts';
import { anonymousTenant } from './anonymous.ts';
import type { Askers } from './askers.ts';
import { type Identified, identify } from './identify.ts';
import type { MeantReading } from './meant-reading.ts';

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
    readonly meant: MeantReading;
    readonly bucket: string | undefined;
    readonly askers: Askers;
    readonly trace: RequestTrace;
  },
): Promise<Admitted> {
  const { request, meant, askers, trace } = came;
  const isForm = 'claim' in asked;
  const claim = isForm ? asked.claim : meant.reading.claim();
  const { address } = request.client;
  // A form was signed to be handed on, as a presigned URL is.
  if (claim !== undefined) {
    const signer = isForm ? undefined : meant.signer;
    return authenticate(claim, { askers, trace, address, handedOn: isForm, signer });
  }
  const tenant = await anonymousTenant(came.bucket, askers);
  const tools = sharedBy({ tenant: tenant.name, client: address }, askers.anonymous, askers);
  const body = isForm ? asked.unsignedBody() : meant.reading.unsignedBody();
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
    readonly signer: Identified | undefined;
  },
): Promise<Admitted> {
  const { askers } = came;
  const { caller, body } = came.signer ?? (await identify(claim, came));
  const { tenant } = caller;
  const handedOn = came.handedOn || claim.presigned === true;
  const sharer = { tenant: tenant.name, client: handedOn ? caller.accessKeyId : came.address };
  return { signed: true, tools: sharedBy(sharer, askers.withKey(caller.backend), askers), tenant, body };
}

/** The same tools, of whose memory and connections one sharer takes its part. */
function sharedBy(sharer: Sharer, tools: OperationTools, askers: Askers): OperationTools {
  const budget = askers.services.memory.of(sharer);
  const store = tools.store.sharedBy(sharer, budget);
  return { ...tools, budget, store, staging: tools.staging.sharedBy(sharer, budget) };
}
