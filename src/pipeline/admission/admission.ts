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

/** A parsed request: its operation, the reader of its document, or a form whose fields were read up to its file. */
export type Asked = Exclude<ParsedRequest, { kind: 'form' }> | UploadForm;

/** What is known of a request once it is admitted. */
export interface Admitted {
  /** The tenant that the signing access key belongs to; without a signature, the tenant that owns the bucket. */
  readonly tenant: Tenant;
  /** They ask the backend with the requester's rights, and draw on the sharer's memory and connections. */
  readonly tools: OperationTools;
  /** False for a request without a signature: the store is then asked anonymously, and its bucket policy decides. */
  readonly signed: boolean;
  readonly body: VerifiedBody;
}

/**
 * Verifies the signature of a request. Where it has none, finds the tenant that owns the bucket.
 * @throws GatewayError InvalidAccessKeyId, AnonymousRequest, those of the claim's `verify`, KeyStoreUnavailable
 */
export async function admit(
  asked: Asked,
  arrival: {
    readonly request: WireRequest;
    readonly meant: MeantReading;
    readonly bucket: string | undefined;
    readonly askers: Askers;
    readonly trace: RequestTrace;
  },
): Promise<Admitted> {
  const { request, meant, askers, trace } = arrival;
  const isForm = 'claim' in asked;
  const claim = isForm ? asked.claim : meant.reading.claim();
  const { address } = request.client;
  // Whoever signed the form's policy gives the form to others, as with a presigned URL. So the sharer is the access key
  // and not the client's address.
  if (claim !== undefined) {
    const signer = isForm ? undefined : meant.signer;
    return authenticate(claim, { askers, trace, address, handedOn: isForm, signer });
  }
  const tenant = await anonymousTenant(arrival.bucket, askers);
  const tools = sharedBy({ tenant: tenant.name, client: address }, askers.anonymous, askers);
  const body = isForm ? asked.unsignedBody() : meant.reading.unsignedBody();
  trace.tenant = tenant.name; // the log then has a tenant without an access key
  return { signed: false, tools, tenant, body };
}

async function authenticate(
  claim: SignatureClaim,
  arrival: {
    readonly askers: Askers;
    readonly trace: RequestTrace;
    readonly address: string;
    readonly handedOn: boolean;
    readonly signer: Identified | undefined;
  },
): Promise<Admitted> {
  const { askers } = arrival;
  const { caller, body } = arrival.signer ?? (await identify(claim, arrival));
  const { tenant } = caller;
  const handedOn = arrival.handedOn || claim.presigned === true;
  const sharer = { tenant: tenant.name, client: handedOn ? caller.accessKeyId : arrival.address };
  return { signed: true, tools: sharedBy(sharer, askers.withKey(caller.backend), askers), tenant, body };
}

/** The same tools, limited to one sharer's share of memory and connections. */
function sharedBy(sharer: Sharer, tools: OperationTools, askers: Askers): OperationTools {
  const budget = askers.services.memory.of(sharer);
  const store = tools.store.sharedBy(sharer, budget);
  return { ...tools, budget, store, staging: tools.staging.sharedBy(sharer, budget) };
}
