import type {
  FormReaders,
  FrontDialect,
  ParsedRequest,
  RenderContext,
  VerifiedBody,
} from '../dialects/front-dialect.ts';
import { checkKeys } from '../encryption/key-transport.ts';
import { checkPolicyAllows } from '../encryption/policy.ts';
import { checkAskedForms, customerKeysOf } from '../encryption/rules.ts';
import { asGatewayError, clientError } from '../errors.ts';
import type { Answer } from '../operations/answer.ts';
import type { CustomerKey, EncryptionFacts } from '../operations/encryption.ts';
import { type Operation, operationName } from '../operations/operation.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { PassThrough, WireRequest, WireResponse } from '../wire/message.ts';
import { admit } from './admission/admission.ts';
import { checkAnonymous } from './admission/anonymous.ts';
import { Askers } from './admission/askers.ts';
import { authorize } from './admission/authorize.ts';
import { holdBucketPolicies } from './admission/hold-bucket-policies.ts';
import { holdRules } from './admission/hold-rules.ts';
import { Md5EtagHint } from './admission/md5-hint.ts';
import { type MeantReading, meantReading } from './admission/meant-reading.ts';
import { readDocument } from './admission/read-document.ts';
import { traceRefused } from './admission/refused.ts';
import {
  type CorsHeaders,
  corsHeadersFor,
  errorsWithCorsHeaders,
  preflight,
  varyingByOrigin,
  withCorsHeaders,
} from './answer/cross-origin.ts';
import { inTime, LATENESS, type Lateness, mayBeLate } from './answer/late-answer.ts';
import { rendered } from './answer/render-answer.ts';
import { bucketLocation, createBucket, deleteBucket, headBucket, listBuckets } from './bucket/buckets.ts';
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './bucket/encryption.ts';
import { listObjects, listVersions } from './bucket/list.ts';
import { bucketPolicyStatus, deleteBucketPolicy, getBucketPolicy, putBucketPolicy } from './bucket/policy.ts';
import type { OperationContext } from './context.ts';
import { copyObject } from './copy/copy.ts';
import { uploadPartCopy } from './copy/copy-part.ts';
import { moveObject } from './copy/move.ts';
import { forward } from './forward.ts';
import type { HandlerServices } from './handler-services.ts';
import { objectAttributes } from './read/attributes.ts';
import { getObject } from './read/get.ts';
import { headObject } from './read/head.ts';
import type { RequestTrace } from './trace.ts';
import { abortUpload } from './upload/abort.ts';
import { completeUpload } from './upload/complete.ts';
import { createUpload } from './upload/create.ts';
import { listParts, listUploads } from './upload/list.ts';
import { uploadPart } from './upload/part.ts';
import { deleteObject, deleteObjects } from './write/delete.ts';
import { postObject } from './write/post.ts';
import { putObject } from './write/put.ts';

/** Serves one request. It fills in `trace` for the log. */
export type Handler = (request: WireRequest, trace: RequestTrace) => Promise<WireResponse | PassThrough>;

/** The operations whose request bodies are an object's bytes. */
const BRINGS_BYTES: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'PutObject',
  'PostObject',
  'UploadPart',
]);

/** What is found out of a request before it is served. */
interface Arrival {
  readonly front: FrontDialect;
  /** How the request is read, where its dialect can read it in several ways. */
  readonly meaning: Promise<MeantReading>;
  /** The CORS headers of the answer. */
  readonly corsHeaders: CorsHeaders;
}

/**
 * Makes the function that serves every request, from the choice of the dialect to the rendered answer. Its `catch` is
 * the only place where an error becomes an answer.
 */
export function createHandler(services: HandlerServices, lateness: Lateness = LATENESS): Handler {
  const askers = new Askers(services);
  const md5EtagHint = new Md5EtagHint();
  const serve = async (request: WireRequest, arrival: Arrival, trace: RequestTrace) => {
    const { front, meaning, corsHeaders } = arrival;
    const rendering: RenderContext = { requestId: request.id, settings: services.settings, request };
    let speaking = front;
    const readersOf = (fields: ReadonlyMap<string, string>): FormReaders | undefined => {
      const owner = services.fronts.find((other) => other !== front && other.ownsForm?.(fields));
      if (owner === undefined) return undefined;
      speaking = owner;
      trace.dialect = owner.name;
      if (owner.forms !== undefined) return owner.forms;
      throw clientError('NotImplemented', 'Uploads by form are not available in this dialect.');
    };
    const renderError = (thrown: unknown): WireResponse => {
      const error = asGatewayError(thrown);
      trace.error = error;
      trace.errorCode = error.code;
      trace.errorSource = error.source;
      return sayingWhenToRetry(speaking.renderError(error, rendering));
    };
    let meant: MeantReading | undefined;
    let understood = false;
    let keys: readonly CustomerKey[] = [];
    try {
      meant = await meaning;
      if (request.method === 'OPTIONS') {
        return front.render(await preflight(request, { reading: meant.reading, trace }, services), rendering);
      }
      const parsed = meant.reading.parse();
      understood = true;
      note(trace, parsed);
      const asked = parsed.kind === 'form' ? await parsed.open(readersOf) : parsed;
      if ('operation' in asked) keys = customerKeysOf(asked.operation);
      const { bucket } = trace;
      const { signed, body, tools, tenant } = await admit(asked, { request, meant, bucket, askers, trace });
      const operation = 'operation' in asked ? asked.operation : await readDocument(asked, body, tools.budget);
      trace.key ??= keyOf(operation);
      keys = customerKeysOf(operation);
      const encryption = await tools.bucketDefaults.encryptionFor(operation, tenant);
      const { client, signal } = request;
      const asking = { bucket: bucketOf(operation), encryption };
      const { staging, registeredKeys, bucketPolicies, store } = tools;
      await holdRules(operation, asking, { tenant, client, trace, staging, registeredKeys });
      await holdBucketPolicies(operation, asking.bucket, { tenant, trace, bucketPolicies, store });
      checkAskedForms(operation, tools.keySources);
      const context = authorize(asking.bucket, { tenant, client, signal, trace, encryption, dialect: speaking }, tools);
      checkKeys(keys, client, services.keyTransport);
      if (!signed) checkAnonymous(operation, context.policy);
      checkPolicyAllows(operation, encryption, context.policy, context.formats.write);
      md5EtagHint.note(operation, request.headers, context);
      if (operation.kind === 'Forward') {
        const exchange = { request, body, front, renderError: await errorsWithCorsHeaders(renderError, corsHeaders) };
        return await forward(operation, exchange, context, services);
      }
      const bringsBytes = BRINGS_BYTES.has(operation.kind);
      if (parsed.kind === 'ready' && !bringsBytes) await expectNoBody(body);
      let foretold: EncryptionFacts | undefined;
      const foretell = (known: EncryptionFacts | undefined): void => {
        foretold = known;
      };
      const answered = perform(operation, body, { ...context, foretell }).then((done) =>
        rendered(done, speaking, rendering),
      );
      // A download that goes on after its answer began does not need the customer's key any more.
      const answer = keys.length === 0 ? answered : answered.finally(() => erase(keys));
      if (!mayBeLate(operation)) return await answer;
      return await inTime(answer.catch(renderError), speaking, { ...rendering, foretold: () => foretold }, lateness);
    } catch (error) {
      erase(keys);
      if (!understood) await traceRefused(request, { front, meant, askers, trace });
      return renderError(error);
    }
  };
  return async (request, trace) => {
    const front = chooseFront(services.fronts, request);
    trace.dialect = front.name;
    const meaning = meantReading(request, { front, askers, trace });
    const corsHeaders = corsHeadersFor(request, meaning, services);
    const answer = await serve(request, { front, meaning, corsHeaders }, trace);
    return corsHeaders === undefined ? varyingByOrigin(answer, request) : withCorsHeaders(answer, corsHeaders);
  };
}

/** The Retry-After of answers that say that something is away or busy for now (RFC 9110, 10.2.3). */
const RETRY_AFTER_SECONDS = '1';

function sayingWhenToRetry(answer: WireResponse): WireResponse {
  if (answer.status === 503) answer.headers.set('Retry-After', RETRY_AFTER_SECONDS);
  return answer;
}

function erase(keys: readonly CustomerKey[]): void {
  for (const key of keys) key.erase();
}

function chooseFront(fronts: readonly FrontDialect[], request: WireRequest): FrontDialect {
  return fronts.find((front) => front.recognises(request)) ?? (fronts.at(-1) as FrontDialect);
}

function note(trace: RequestTrace, parsed: ParsedRequest): void {
  if (parsed.kind !== 'ready') {
    trace.operation = parsed.name;
    trace.bucket = parsed.bucket;
    return;
  }
  trace.operation = operationName(parsed.operation);
  trace.bucket = bucketOf(parsed.operation);
  trace.key = keyOf(parsed.operation);
}

/** Refuses a body where the operation takes none. Reading it to its end also verifies the hash that was signed. */
async function expectNoBody(body: VerifiedBody): Promise<void> {
  await collect(body.bytes(), 0, () => clientError('InvalidRequest', 'This operation takes no body.'));
}

function bucketOf(operation: Operation): string | undefined {
  if (operation.kind === 'ListBuckets') return undefined;
  return 'ref' in operation ? operation.ref.bucket : operation.bucket;
}

function keyOf(operation: Operation): string | undefined {
  if ('ref' in operation) return operation.ref.key;
  return operation.kind === 'Forward' ? operation.key : undefined;
}

function perform(
  operation: Exclude<Operation, { kind: 'Forward' }>,
  body: VerifiedBody,
  context: OperationContext,
): Promise<Answer> {
  switch (operation.kind) {
    case 'PutObject':
      return putObject(operation, body, context);
    case 'CopyObject':
      return copyObject(operation, context);
    case 'MoveObject':
      return moveObject(operation, context);
    case 'PostObject':
      return postObject(operation, body, context);
    case 'GetObject':
      return getObject(operation, context);
    case 'HeadObject':
      return headObject(operation, context);
    case 'GetObjectAttributes':
      return objectAttributes(operation, context);
    case 'DeleteObject':
      return deleteObject(operation, context);
    case 'DeleteObjects':
      return deleteObjects(operation, context);
    case 'ListObjects':
      return listObjects(operation, context);
    case 'ListObjectVersions':
      return listVersions(operation, context);
    case 'ListBuckets':
      return listBuckets(operation, context);
    case 'HeadBucket':
      return headBucket(operation, context);
    case 'CreateBucket':
      return createBucket(operation, context);
    case 'DeleteBucket':
      return deleteBucket(operation, context);
    case 'GetBucketEncryption':
      return getBucketEncryption(operation, context);
    case 'PutBucketEncryption':
      return putBucketEncryption(operation, context);
    case 'DeleteBucketEncryption':
      return deleteBucketEncryption(operation, context);
    case 'GetBucketPolicy':
      return getBucketPolicy(operation, context);
    case 'GetBucketPolicyStatus':
      return bucketPolicyStatus(operation, context);
    case 'PutBucketPolicy':
      return putBucketPolicy(operation, context);
    case 'DeleteBucketPolicy':
      return deleteBucketPolicy(operation, context);
    case 'GetBucketLocation':
      return bucketLocation(operation, context);
    case 'CreateMultipartUpload':
      return createUpload(operation, context);
    case 'UploadPart':
      return uploadPart(operation, body, context);
    case 'UploadPartCopy':
      return uploadPartCopy(operation, context);
    case 'ListParts':
      return listParts(operation, context);
    case 'ListMultipartUploads':
      return listUploads(operation, context);
    case 'AbortMultipartUpload':
      return abortUpload(operation, context);
    case 'CompleteMultipartUpload':
      return completeUpload(operation, context);
  }
}
