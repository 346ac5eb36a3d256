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

/**
 * A request as far as it was read: its operation, the reader of its document, or a form that was opened up to its file.
 */
export type Asked = Exclude<ParsedRequest, { kind: 'form' }> | UploadForm;

/** The tenant of a request, the tools with which it is served, and its verified body. */
export interface Admitted {
  readonly tenant: Tenant;
  /** The tools ask the backend with the request's rights, and take from its sharer's memory and connections. */
  readonly tools: OperationTools;
  /**
   * False when nobody signed the request. Then the backend's own rules on the bucket decide, and no tenant's rights.
   */
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
  trace.tenant = tenant.name; // the log then has a tenant without an access key
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

/** The same tools, whose memory and connections are one sharer's part. */
function sharedBy(sharer: Sharer, tools: OperationTools, askers: Askers): OperationTools {
  const budget = askers.services.memory.of(sharer);
  const store = tools.store.sharedBy(sharer, budget);
  return { ...tools, budget, store, staging: tools.staging.sharedBy(sharer, budget) };
}
