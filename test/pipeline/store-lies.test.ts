import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sealedBytes } from '../../src/envelope/sizes.ts';
import { GatewayError } from '../../src/errors.ts';
import type { ObjectContent } from '../../src/operations/answer.ts';
import type { GetObject } from '../../src/operations/operation.ts';
import type { OperationContext } from '../../src/pipeline/context.ts';
import { copyObject } from '../../src/pipeline/copy/copy.ts';
import { uploadPartCopy } from '../../src/pipeline/copy/copy-part.ts';
import { objectAttributes } from '../../src/pipeline/read/attributes.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import type { BucketPolicy } from '../../src/tenants/bucket-policy.ts';
import type { ByteRange, RangeRequest } from '../../src/wire/range.ts';
import { payload } from '../support/payload.ts';
import {
  type AskedOfStore,
  fieldOf,
  type Lie,
  type LyingProxy,
  refusing,
  startLyingProxy,
  type Told,
  withField,
  without,
} from '../support/proxies/lying-proxy.ts';
import { isTried } from '../support/quick.ts';
import { BUCKET, bodyOf, copyOf, getOf, headOf, type InProcess, inProcess, putOf, verifiedBody } from './in-process.ts';
import { readBack, startUpload } from './upload/upload-stand.ts';

/**
 * Every operation that reads an object × every lie of its store × every way that an object lies there. What comes of it
 * is the truth, or a refusal that no program takes for success or for the end of an object; never 304 or 416 that the
 * object does not bear out, never a body that looks whole and is not.
 */

/** 503, 502, 422, 409: SDKs try again or report them; wget -c and curl -C - fail. */
const SAFE = new Set(['BackendUnavailable', 'BackendError', 'SlowDown', 'ObjectCorrupted', 'ObjectNotSealed']);

/** Small parts wait in the staging bucket until the upload completes. */
const PARTS = [110_000, 90_000];
/** The list of such parts finds room. */
const QUANTUM = 2;

interface Kind {
  readonly bucket: string;
  readonly policy: Partial<BucketPolicy>;
  /** The lengths of the parts that it was sent in. */
  readonly parts: readonly number[];
  /** It lies in the store as it is: then the store alone knows what it is and how long. */
  readonly plain: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  empty: { bucket: 'sealed', policy: {}, parts: [0], plain: false },
  small: { bucket: 'sealed', policy: {}, parts: [1000], plain: false },
  streamed: { bucket: 'sealed', policy: {}, parts: [300_000], plain: false },
  multipart: { bucket: 'sealed', policy: { quantum: QUANTUM }, parts: PARTS, plain: false },
  'multipart, in a mixed bucket, under MD5 ETags': {
    bucket: 'md5s',
    policy: { mixed: true, etag: 'md5', quantum: QUANTUM },
    parts: PARTS,
    plain: false,
  },
  'plain, in a mixed bucket': { bucket: 'mixed', policy: { mixed: true }, parts: [300_000], plain: true },
  'without protection': { bucket: 'plain', policy: { protection: 'none' }, parts: [300_000], plain: true },
};

interface Stand {
  readonly here: InProcess;
  readonly proxy: LyingProxy;
  readonly kind: Kind;
  readonly sent: Buffer;
  /** As it lies in the store. */
  readonly stored: Buffer;
  readonly etag: string;
  /** Of a process that remembers nothing. */
  readonly fresh: () => Promise<OperationContext>;
  copies: number;
}

async function standFor(kind: Kind): Promise<Stand> {
  const proxy = await startLyingProxy({ isFixed: isReadOfObject });
  onTestFinished(() => proxy.close());
  const { bucket, parts, policy, plain } = kind;
  const here = await inProcess({ proxy, backend: { retries: 0 }, buckets: [{ pattern: bucket, ...policy }] });
  const context = () => here.at(bucket);
  const sent = payload(
    parts.reduce((sum, bytes) => sum + bytes, 0),
    7,
  );
  if (plain) await here.stored.overwrite(bucket, 'object', sent);
  else if (parts.length === 1)
    await putObject(putOf('object', { ref: { bucket, key: 'object' } }), verifiedBody(sent), context());
  else {
    const upload = await startUpload(here, 'object', { bucket, context });
    const [first = 0] = parts;
    const named = [await upload.send(1, sent.subarray(0, first)), await upload.send(2, sent.subarray(first))];
    await upload.complete(named, { smallestPartBytes: 1 });
  }
  const { bytes } = await here.stored.read(bucket, 'object');
  const fresh = async () => ({ ...context(), ...(await here.anotherProcess({ emptyIndex: true })) });
  const { facts } = await headObject(headOf('object', { ref: { bucket, key: 'object' } }), await fresh());
  return { here, proxy, kind, sent, stored: bytes, etag: facts.etag, fresh, copies: 0 };
}

/** The truth as `served …`, a refusal's code, `broken` for a body that ended in an error after true bytes; or what is wrong. */
type Operation = (stand: Stand) => Promise<string>;

function refOf({ kind }: Stand) {
  return { bucket: kind.bucket, key: 'object' };
}

function reading(over: (stand: Stand) => Partial<GetObject>): Operation {
  return async (stand) =>
    served(await getObject(getOf('object', { ref: refOf(stand), ...over(stand) }), await stand.fresh()), stand);
}

function readingPart(part: number): Operation {
  return async (stand) =>
    served(await getObject(getOf('object', { ref: refOf(stand), part }), await stand.fresh()), stand);
}

function looking(over: (stand: Stand) => Partial<GetObject>): Operation {
  return async (stand) => {
    const content = await headObject(
      headOf('object', { ref: refOf(stand), ...over(stand) } as object),
      await stand.fresh(),
    );
    return headSays(content);
  };
}

function headSays({ facts, range }: ObjectContent): string {
  return `served ${range === undefined ? 'all' : `${range.first}-${range.last}`} of ${facts.plaintextBytes}`;
}

async function served(content: ObjectContent, { sent, kind }: Stand): Promise<string> {
  const { range, body, facts } = content;
  const wanted = range === undefined ? sent : sent.subarray(range.first, range.last + 1);
  const pieces: Buffer[] = [];
  try {
    if (Buffer.isBuffer(body)) pieces.push(body);
    else if (body !== undefined) for await (const piece of body) pieces.push(Buffer.from(piece));
  } catch (error) {
    const came = Buffer.concat(pieces);
    return came.equals(wanted.subarray(0, came.length)) ? `broken ${codeOf(error)}` : 'WRONG bytes, and then broken';
  }
  const came = Buffer.concat(pieces);
  const announced = range === undefined ? facts.plaintextBytes : range.last - range.first + 1;
  // The listener cuts the connection where a body is not as long as was announced.
  if (came.length !== announced) return came.length < (announced ?? 0) ? 'broken short' : 'WRONG length';
  if (kind.plain && facts.plaintextBytes !== sent.length) return `another plain object`;
  return came.equals(wanted) ? headSays(content) : kind.plain ? 'another plain object' : 'WRONG bytes';
}

const copying: Operation = async (stand) => {
  const { here, kind, sent } = stand;
  const ref = { bucket: kind.bucket, key: `copy-${++stand.copies}` };
  await copyObject(copyOf(`${kind.bucket}/object`, ref.key, { ref }), await stand.fresh());
  const copy = await bodyOf(await getObject(getOf(ref.key, { ref }), here.at(kind.bucket)));
  return copy.equals(sent) ? 'copied' : kind.plain ? 'another plain object' : 'WRONG copy';
};

/** Into a sealed bucket, so that its bytes come this way. */
const copyingRange =
  ({ first, last }: ByteRange): Operation =>
  async (stand) => {
    const { here, kind, sent } = stand;
    const upload = await startUpload(here, `upload-${++stand.copies}`);
    const part = { kind: 'UploadPartCopy', ...upload.named, partNumber: 1, range: { first, last } } as const;
    const { etag } = await uploadPartCopy(
      { ...part, source: { ref: refOf(stand), conditions: {} } },
      { ...here.at(BUCKET), ...(await here.anotherProcess({ emptyIndex: true })) },
    );
    await upload.complete([{ partNumber: 1, etag, checksum: undefined }]);
    const copy = await readBack(here, upload.named.ref.key);
    const right = copy.equals(sent.subarray(first, last + 1));
    return right ? 'copied' : kind.plain ? 'another plain object' : 'WRONG copy';
  };

const from = (first: number, last?: number): RangeRequest => ({ kind: 'from', first, last });
const middle = ({ sent }: Stand) => Math.floor(sent.length / 2);

const OPERATIONS: Readonly<Record<string, Operation>> = {
  GET: reading(() => ({})),
  'GET with checksum': reading(() => ({ wantsChecksum: true })),
  'GET bytes=m-': reading((stand) => ({ range: from(middle(stand)) })),
  'GET bytes=0-0': reading(() => ({ range: from(0, 0) })),
  'GET bytes=n-': reading(({ sent }) => ({ range: from(sent.length) })),
  'GET bytes=-100': reading(() => ({ range: { kind: 'suffix', bytes: 100 } })),
  'GET bytes=-0': reading(() => ({ range: { kind: 'suffix', bytes: 0 } })),
  'GET If-None-Match of another': reading(() => ({ conditions: { ifNoneMatch: '"another"' } })),
  'GET If-None-Match': reading(({ etag }) => ({ conditions: { ifNoneMatch: `"${etag}"` } })),
  'GET If-Match': reading(({ etag }) => ({ conditions: { ifMatch: `"${etag}"` } })),
  'GET If-Match of another': reading(() => ({ conditions: { ifMatch: '"another"' } })),
  'GET If-Modified-Since': reading(() => ({ conditions: { ifModifiedSince: 'Mon, 06 May 2024 07:08:09 GMT' } })),
  'GET If-Range of another': reading((stand) => ({ range: from(middle(stand)), ifRange: '"another"' })),
  'GET part 1': readingPart(1),
  'GET part 3': readingPart(3),
  HEAD: looking(() => ({})),
  'HEAD with checksum': looking(() => ({ wantsChecksum: true })),
  'HEAD bytes=m-': looking((stand) => ({ range: from(middle(stand)) })),
  'HEAD bytes=n-': looking(({ sent }) => ({ range: from(sent.length) })),
  'HEAD part 1': looking(() => ({ part: 1 })),
  'HEAD part 3': looking(() => ({ part: 3 })),
  attributes: async (stand) => {
    const attributes = new Set(['size', 'parts', 'checksum', 'etag'] as const);
    const asked = { ref: refOf(stand), attributes, maxParts: 10, partNumberMarker: 0 };
    const { facts, parts } = await objectAttributes({ kind: 'GetObjectAttributes', ...asked }, await stand.fresh());
    return `served ${facts.plaintextBytes} in ${parts?.count ?? 'one'}`;
  },
  copy: copying,
  'copy of a range': copyingRange({ first: 10, last: 900 }),
};

/** What lies may change of the answers to requests for the object itself, and when. */
const WHEN: Readonly<Record<string, (asked: AskedOfStore) => boolean>> = {
  always: () => true,
  'from the second on': ({ nth }) => nth > 1,
  'to GET alone': ({ method }) => method === 'GET',
  'to what asks for a range': ({ headers }) => headers.range !== undefined,
};

const REFUSALS: readonly (readonly [number, string, ...string[]])[] = [
  [304, 'NotModified', ...Object.keys(WHEN)],
  [416, 'InvalidRange', ...Object.keys(WHEN)],
  [412, 'PreconditionFailed', ...Object.keys(WHEN)],
  [404, 'NoSuchKey', ...Object.keys(WHEN)],
  [416, 'Whatever', 'always', 'from the second on'],
  [400, 'InvalidRange', 'always', 'from the second on'],
  [404, 'NotModified', 'always', 'from the second on'],
];

type LieFor = (stand: Stand) => (asked: AskedOfStore, told: Told) => Told | undefined;

const isObject = ({ target }: Pick<AskedOfStore, 'target'>) => /^\/[^/]+\/object(?:\?|$)/.test(target);
/** The object is there before it is first read, and stays as it is. */
const isReadOfObject = (asked: Pick<AskedOfStore, 'method' | 'target'>) =>
  isObject(asked) && (asked.method === 'GET' || asked.method === 'HEAD');
const sized = (told: Told, body: Buffer): Told => ({ ...withField(told, 'content-length', String(body.length)), body });
/** Of an answer that has bytes of the object. */
const ofBytes =
  (lie: (told: Told) => Told | undefined): LieFor =>
  () =>
  ({ method }, told) =>
    method === 'GET' && told.status < 300 && told.body.length > 0 ? lie(told) : undefined;
const ofSuccess =
  (lie: (told: Told, asked: AskedOfStore, stand: Stand) => Told | undefined): LieFor =>
  (stand) =>
  (asked, told) =>
    told.status < 300 ? lie(told, asked, stand) : undefined;
const envelope = 'x-amz-meta-sx1';

/** The object as one of another size that a sealed object may have. */
function truncated({ stored, kind }: Stand, bytes: number): LieFor {
  const size = kind.plain ? bytes : sealedBytes(bytes, kind.policy.quantum ?? 0);
  return () =>
    ({ method, headers }, told) => {
      if (told.status >= 300) return undefined;
      const range = /bytes=(\d*)-(\d*)/.exec(headers.range ?? '');
      if (range === null)
        return { ...sized(told, stored.subarray(0, size)), ...(method === 'HEAD' && { body: told.body }) };
      const [, first = '', last = ''] = range;
      const begin = first === '' ? Math.max(0, size - Number(last)) : Number(first);
      const end = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
      if (begin >= size) return refusing(416, 'InvalidRange')({ method, headers, nth: 0, target: '' }, told);
      return withField(sized(told, stored.subarray(begin, end + 1)), 'content-range', `bytes ${begin}-${end}/${size}`);
    };
}

const LIES: Readonly<Record<string, LieFor>> = {
  'a bit flipped at the start': ofBytes((told) => ({ ...told, body: flipped(told.body, 0) })),
  'a bit flipped in the middle': ofBytes((told) => ({ ...told, body: flipped(told.body, told.body.length >> 1) })),
  'a bit flipped at the end': ofBytes((told) => ({ ...told, body: flipped(told.body, told.body.length - 1) })),
  'cut off': ofBytes((told) => ({ ...told, cutAfter: told.body.length >> 1 })),
  'cut off at once': ofBytes((told) => ({ ...told, cutAfter: 0 })),
  'one byte less': ofBytes((told) => sized(told, told.body.subarray(0, -1))),
  'one byte more': ofBytes((told) => sized(told, Buffer.concat([told.body, Buffer.of(0)]))),
  'nothing, as 200': ofBytes((told) =>
    sized({ ...told, status: 200, headers: without(told, 'content-range') }, Buffer.alloc(0)),
  ),
  'nothing, as 204': ofBytes((told) => ({
    ...told,
    status: 204,
    headers: without(told, 'content-length'),
    body: Buffer.alloc(0),
  })),
  'as 203': ofSuccess((told) => ({ ...told, status: 203 })),
  'a part as if it were all': ofBytes((told) => ({ ...told, status: 200, headers: without(told, 'content-range') })),
  'half of it as 206': ofBytes((told) => {
    const half = told.body.subarray(0, (told.body.length >> 1) + 1);
    return withField(
      { ...sized(told, half), status: 206 },
      'content-range',
      `bytes 0-${half.length - 1}/${told.body.length}`,
    );
  }),
  'in chunks, without a length': ofBytes((told) => ({ ...told, headers: without(told, 'content-length') })),
  'no length': ofSuccess((told) => ({ ...told, headers: without(told, 'content-length') })),
  'a range further on': ofBytes((told) => shifted(told, 16)),
  'a range without Content-Range': ofBytes((told) => ({ ...told, headers: without(told, 'content-range') })),
  compressed: ofBytes((told) => withField(sized(told, gzipSync(told.body, { level: 1 })), 'content-encoding', 'gzip')),
  'another ETag': ofSuccess((told) => withField(told, 'etag', '"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"')),
  'another ETag from the second on': ofSuccess((told, { nth }) =>
    nth === 1 ? undefined : withField(told, 'etag', '"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"'),
  ),
  'no ETag': ofSuccess((told) => ({ ...told, headers: without(told, 'etag') })),
  'two ETags': ofSuccess((told) => ({ ...told, headers: [...told.headers, ['ETag', '"another"']] })),
  'two dates': ofSuccess((told) => ({
    ...told,
    headers: [...told.headers, ['Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT']],
  })),
  'two ranges': ofSuccess((told) => {
    const range = fieldOf(told, 'content-range');
    return range === undefined ? undefined : { ...told, headers: [...told.headers, ['Content-Range', 'bytes 0-0/1']] };
  }),
  'no metadata': ofSuccess((told) => ({ ...told, headers: without(told, envelope) })),
  'the envelope twice': ofSuccess((told) => twice(told, envelope)),
  'the envelope twice, in two cases': ofSuccess((told) => twice(told, 'X-Amz-Meta-SX1')),
  'the envelope twice, joined': ofSuccess((told) => {
    const text = fieldOf(told, envelope);
    return text === undefined ? undefined : withField(told, envelope, `${text}, ${text}`);
  }),
  'another envelope': ofSuccess((told) => {
    const text = fieldOf(told, envelope);
    return text === undefined
      ? undefined
      : withField(told, envelope, `${text.slice(0, 100)}${text[100] === 'A' ? 'B' : 'A'}${text.slice(101)}`);
  }),
  'other content headers': ofSuccess((told) => withField(told, 'content-type', 'text/html')),
};

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

function shifted(told: Told, by: number): Told | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(fieldOf(told, 'content-range') ?? '');
  if (match === null) return undefined;
  const [, first, last, size] = match.map(Number) as [number, number, number, number];
  return withField(told, 'content-range', `bytes ${first + by}-${last + by}/${size + by}`);
}

function twice(told: Told, name: string): Told | undefined {
  const value = fieldOf(told, envelope);
  return value === undefined ? undefined : { ...told, headers: [...told.headers, [name, value]] };
}

function codeOf(error: unknown): string {
  return error instanceof GatewayError ? error.code : `not a GatewayError: ${(error as Error)?.stack}`;
}

const outcome = (operation: Operation, stand: Stand) => operation(stand).catch(codeOf);

interface Case {
  readonly name: string;
  readonly lie: Lie;
  /** Beside the truth and what is safe. */
  readonly mayBe: (operation: string, truth: string, stand: Stand) => readonly string[];
}

function refusalCases(): Case[] {
  return REFUSALS.flatMap(([status, code, ...when]) =>
    when.map((time): Case => {
      const holds = WHEN[time] as (asked: AskedOfStore) => boolean;
      // What a store does not have at first sight, nobody can prove to be there.
      const absent = status === 404 && time !== 'from the second on' ? ['NoSuchKey', 'NoSuchVersion'] : [];
      const refused = status === 400 ? ['BackendRefused'] : [];
      return {
        name: `${status} ${code}, ${time}`,
        lie: (asked, told) => (holds(asked) ? refusing(status, code)(asked, told) : undefined),
        mayBe: () => [...absent, ...refused],
      };
    }),
  );
}

function lieCases(stand: Stand): Case[] {
  const lies: [string, LieFor][] = [
    ...Object.entries(LIES),
    ...[0, 1000, 65_536, 2 * 65_536, 70_000]
      .filter((bytes) => bytes < stand.sent.length)
      .map((bytes): [string, LieFor] => [`as an object of ${bytes} bytes`, truncated(stand, bytes)]),
  ];
  return lies.map(([name, lieFor]): Case => {
    const lie = lieFor(stand);
    return {
      name,
      lie,
      // An ETag is the store's to say, and a condition is held against what it says.
      mayBe: (operation) =>
        /ETag/.test(name) && /If-(None-)?Match/.test(operation) ? ['PreconditionFailed', 'SERVED'] : [],
    };
  });
}

/** Of a plain object the store's word is all there is, as long as it does not contradict itself. */
function isOfPlain(came: string, { kind }: Stand): boolean {
  return kind.plain && /^(?:another plain object|served .*|copied|InvalidRange|InvalidPartNumber)$/.test(came);
}

describe.each(Object.entries(KINDS))('of an object that is %s', (_kind, kind) => {
  it('no lie becomes an answer', async () => {
    const stand = await standFor(kind);
    const truths = new Map<string, string>();
    const operations = Object.entries(OPERATIONS).filter(([name]) => !kind.plain || !/part \d|attributes/.test(name));
    for (const [name, operation] of operations) truths.set(name, await outcome(operation, stand));
    const breaches: string[] = [];
    let told = 0;
    for (const [row, { name, lie, mayBe }] of [...refusalCases(), ...lieCases(stand)].entries()) {
      const ofContent = !/^\d{3} /.test(name);
      for (const [column, [asked, operation]] of operations.entries()) {
        if (!isTried(Object.values(KINDS).indexOf(kind), row, column)) continue;
        stand.proxy.tell(lie, isObject);
        const came = await outcome(operation, stand);
        told += stand.proxy.lies;
        const truth = truths.get(asked) as string;
        const others = mayBe(asked, truth, stand);
        const allowed =
          came === truth ||
          SAFE.has(came) ||
          came.startsWith('broken ') ||
          others.includes(came) ||
          (others.includes('SERVED') && came.startsWith('served all of')) ||
          (ofContent && isOfPlain(came, stand));
        if (!allowed) breaches.push(`${asked} × ${name}: ${came} (truth: ${truth})`);
      }
    }
    stand.proxy.tell(undefined);
    expect(breaches).toEqual([]);
    expect(told).toBeGreaterThan(100);
    expect(stand.here.handling.memory.reservedBytes).toBe(0);
  });
});
