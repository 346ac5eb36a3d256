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
 * A request as far as it was read: an operation, the reader of its document, or a form that was read up to its file.
 */
export type Asked = Exclude<ParsedRequest, { kind: 'form' }> | UploadForm;

/** The tenant of a request, the tools that serve it, and its verified body. */
export interface Admitted {
  readonly tenant: Tenant;
  /** The tools ask the backend with the rights of the request, and use the memory and connections of its sharer. */
  readonly tools: OperationTools;
  /**
   * Whether somebody signed the request. If not, the backend's own rules on the bucket decide what is allowed, and not
   * a tenant's rights.
   */
  readonly signed: boolean;
  readonly body: VerifiedBody;
}

/**
 * Verifies a request's signature. If it has none, finds the tenant to whom its bucket belongs.
 * @throws GatewayError InvalidAccessKeyId, AnonymousRequest, KeyStoreUnavailable, and those of the claim's `verify`
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
  // The signer of a form hands it to others, as with a presigned URL; so the access key is the sharer, and not the
  // address.
  if (claim !== undefined) {
    const signer = isForm ? undefined : meant.signer;
    return authenticate(claim, { askers, trace, address, handedOn: isForm, signer });
  }
  const tenant = await anonymousTenant(came.bucket, askers);
  const tools = sharedBy({ tenant: tenant.name, client: address }, askers.anonymous, askers);
  const body = isForm ? asked.unsignedBody() : meant.reading.unsignedBody();
  trace.tenant = tenant.name; // the log then shows a tenant without an access key
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

/** Returns the same tools, which use the memory and the connections of one sharer. */
function sharedBy(sharer: Sharer, tools: OperationTools, askers: Askers): OperationTools {
  const budget = askers.services.memory.of(sharer);
  const store = tools.store.sharedBy(sharer, budget);
  return { ...tools, budget, store, staging: tools.staging.sharedBy(sharer, budget) };
}
