import { createHmac } from 'node:crypto';
import { type ErrorRows, spellErrors } from '../../../src/dialects/error-spelling.ts';
import type { FrontDialect, ParsedRequest, Reading, VerifiedBody } from '../../../src/dialects/front-dialect.ts';
import { contentHeaders, userMetadata } from '../../../src/dialects/object-metadata.ts';
import { clientError, ERROR_KINDS } from '../../../src/errors.ts';
import type { Answer } from '../../../src/operations/answer.ts';
import type { ObjectMetadata } from '../../../src/operations/object.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { equalInConstantTime } from '../../../src/wire/constant-time.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { WireRequest, WireResponse } from '../../../src/wire/message.ts';
import { percentDecode } from '../../../src/wire/percent.ts';
import { parseRange } from '../../../src/wire/range.ts';

/**
 * A dialect that no vendor speaks: the smallest front that the seam takes. Its bucket stands in the path; or, where
 * `x-toy-homes` names some, in each of them in turn, and the whole path is the key.
 */

/** Kebab case of the gateway's codes, but for one code, which must then be spelled as the one that it is like. */
const TOY_ERRORS = spellErrors(
  Object.fromEntries(
    Object.keys(ERROR_KINDS)
      .filter((code) => code !== 'NoSuchVersion')
      .map((code) => [code, code.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()]),
  ) as ErrorRows,
);

export interface ToyPlace {
  readonly bucket: string;
  readonly key: string;
}

export function toySignature(secret: string, method: string, { bucket, key }: ToyPlace): string {
  return createHmac('sha256', secret).update(`${method}\n${bucket}\n${key}`).digest('hex');
}

function places(request: WireRequest): readonly ToyPlace[] {
  const path = percentDecode(request.target.rawPath.slice(1));
  const slash = path.indexOf('/');
  const byPath =
    slash === -1 ? { bucket: path, key: '' } : { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
  const homes = request.headers.get('x-toy-homes')?.split(',') ?? [];
  return [...homes.map((bucket) => ({ bucket, key: path })), byPath];
}

function readingAt(request: WireRequest, place: ToyPlace): Reading {
  return {
    resource: () => ({ bucket: place.bucket || undefined, key: place.key || undefined }),
    operationNamed: () => undefined,
    claim() {
      const authorization = request.headers.get('authorization');
      if (authorization === undefined) return undefined;
      const [, accessKeyId, signature = ''] = authorization.split(' ');
      if (!accessKeyId) throw clientError('AuthorizationHeaderMalformed', 'Write TOY, an id and a signature.');
      return {
        accessKeyId,
        verify(secret) {
          const expected = toySignature(secret.reveal(), request.method, place);
          if (!equalInConstantTime(expected, signature)) throw clientError('SignatureDoesNotMatch', 'Another place.');
          return bodyOf(request);
        },
      };
    },
    parse: () => parse(request, place),
    unsignedBody: () => bodyOf(request),
  };
}

function bodyOf({ headers, body }: WireRequest): VerifiedBody {
  const plaintextBytes = Number(headers.get('content-length') ?? 0);
  return { plaintextBytes, bytes: () => body, proof: () => ({ checksum: undefined, md5: undefined }) };
}

function parse(request: WireRequest, { bucket, key }: ToyPlace): ParsedRequest {
  const ref = { bucket, key };
  const { method, headers } = request;
  const reading = { ref, range: parseRange(headers.get('range')), ifRange: undefined, conditions: {}, overrides: {} };
  const listing = { form: 1, delimiter: '', after: '', continuationToken: undefined, maxKeys: 1000 } as const;
  const operations: Readonly<Record<string, () => Operation>> = {
    'GET object': () => ({ kind: 'GetObject', ...reading, wantsChecksum: false }),
    'HEAD object': () => ({ kind: 'HeadObject', ...reading, wantsChecksum: false }),
    'PUT object': () => ({ kind: 'PutObject', ref, metadata: metadataOf(headers), conditions: {} }),
    'DELETE object': () => ({ kind: 'DeleteObject', ref, conditions: {} }),
    'GET bucket': () => ({ kind: 'ListObjects', bucket, prefix: '', ...listing, urlEncoded: false, withOwner: false }),
    'HEAD bucket': () => ({ kind: 'HeadBucket', bucket }),
  };
  const operation = request.target.rawQuery === '' && operations[`${method} ${key === '' ? 'bucket' : 'object'}`];
  if (!operation) throw clientError('NotImplemented', 'The toy does not do this.');
  return { kind: 'ready', operation: operation() };
}

/** `x-toy-cold` is a storage class, as every vendor has one; `x-toy-owner` nobody else knows. */
function metadataOf(headers: HeaderList): ObjectMetadata {
  const vendor = new HeaderList();
  for (const name of ['x-toy-cold', 'x-toy-owner']) if (headers.has(name)) vendor.append(name, headers.get(name) ?? '');
  return {
    content: contentHeaders(headers),
    user: userMetadata(headers, { metadataPrefix: 'x-toy-meta-' }),
    vendor: { dialect: 'toy', headers: vendor, beyondTraits: vendor.has('x-toy-owner') ? ['x-toy-owner'] : [] },
    traits: { storageClass: vendor.has('x-toy-cold') ? 'infrequent-access' : undefined },
  };
}

export const toyFront: FrontDialect = {
  name: 'toy',
  digests: ['crc64'],
  recognises: ({ headers }) => headers.get('authorization')?.startsWith('TOY ') ?? headers.has('x-toy-homes'),
  readings: (request) => places(request).map((place) => readingAt(request, place)) as [Reading, ...Reading[]],
  render(answer, { requestId }) {
    const headers = new HeaderList(['x-toy-request', requestId]);
    const crc64 = crc64In(answer);
    if (crc64 !== undefined) headers.append('x-toy-crc64', crc64.toString('hex'));
    return rendered(answer, headers);
  },
  renderError(error, { requestId, request }) {
    const { status, code } = TOY_ERRORS[error.code];
    const body = request?.method === 'HEAD' ? undefined : Buffer.from(`toy: ${code}: ${error.message}`);
    return { status, headers: new HeaderList(['x-toy-request', requestId]), body };
  },
};

function crc64In(answer: Answer): Buffer | undefined {
  if (answer.kind === 'ObjectContent') return answer.facts.crc64;
  return 'crc64' in answer ? answer.crc64 : undefined;
}

function rendered(answer: Answer, headers: HeaderList): WireResponse {
  switch (answer.kind) {
    case 'ObjectContent':
      headers.append('ETag', `"${answer.facts.etag}"`);
      for (const [name, value] of answer.facts.metadata.user) headers.append(`x-toy-meta-${name}`, value);
      headers.append('x-toy-cold', String(answer.facts.metadata.traits?.storageClass === 'infrequent-access'));
      return { status: 200, headers, body: answer.body };
    case 'ObjectListing':
      return { status: 200, headers, body: Buffer.from(answer.objects.map(({ key }) => key).join('\n')) };
    default:
      return { status: 200, headers, body: undefined };
  }
}
