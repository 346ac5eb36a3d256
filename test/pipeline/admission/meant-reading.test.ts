import { describe, expect, it } from 'vitest';
import type { FrontDialect, Reading, SignatureClaim, VerifiedBody } from '../../../src/dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../../../src/errors.ts';
import type { Askers } from '../../../src/pipeline/admission/askers.ts';
import { meantReading } from '../../../src/pipeline/admission/meant-reading.ts';
import { traceRefused } from '../../../src/pipeline/admission/refused.ts';
import { corsHeadersFor } from '../../../src/pipeline/answer/cross-origin.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import { wireRequest } from '../../support/requests.ts';

const REQUEST = wireRequest({ method: 'GET', target: '/a/b' });
const BODY = {} as VerifiedBody;

/** What a signature says of a reading: that it is meant, that it is another one, another refusal, or that there is none. */
type Verdict = 'verifies' | 'SignatureDoesNotMatch' | 'ExpiredRequest' | 'unsigned';

/** A reading that names a bucket after its place in the list. */
function reading(bucket: string, verdict: Verdict, verified: string[]): Reading {
  const claim: SignatureClaim = {
    accessKeyId: 'AK',
    verify() {
      verified.push(bucket);
      if (verdict === 'verifies') return BODY;
      throw clientError(verdict as 'ExpiredRequest', `of ${bucket}`);
    },
  };
  return {
    resource: () => ({ bucket, key: 'k' }),
    operationNamed: () => `Get${bucket}`,
    claim: () => (verdict === 'unsigned' ? undefined : claim),
    parse: () => {
      throw clientError('NotImplemented', 'no');
    },
    unsignedBody: () => BODY,
  };
}

function asked(...verdicts: Verdict[]) {
  const verified: string[] = [];
  const readings = verdicts.map((verdict, at) => reading(`bucket-${at}`, verdict, verified));
  const front = { readings: () => readings } as unknown as FrontDialect;
  const caller = { accessKeyId: 'AK', tenant: { name: 'acme' }, secret: {} };
  const services = { settings: {}, directory: { caller: async () => caller }, tools: { now: () => new Date() } };
  const askers = { services } as unknown as Askers;
  const trace = new RequestTrace();
  const came = { front, askers, trace };
  return { came, trace, verified, meant: (request = REQUEST) => meantReading(request, came) };
}

async function refusalOf(promise: Promise<unknown>): Promise<[string, string]> {
  const error = (await promise.catch((thrown) => thrown)) as GatewayError;
  return [error.code, error.message];
}

describe('a request whose bucket may stand in what is signed alone', () => {
  function inBuckets(patterns: readonly string[], meantBucket: string | undefined) {
    const tried: string[] = [];
    const likeliest = reading('by-path', 'SignatureDoesNotMatch', tried);
    const front = {
      readings: () => [likeliest],
      readingsIn: (_request: unknown, _settings: unknown, buckets: readonly string[]) =>
        buckets.map((bucket) => reading(bucket, bucket === meantBucket ? 'verifies' : 'SignatureDoesNotMatch', tried)),
    } as unknown as FrontDialect;
    const tenant = { name: 'acme', buckets: patterns.map((pattern) => ({ pattern })) };
    const directory = { caller: async () => ({ accessKeyId: 'AK', tenant, secret: {} }) };
    const askers = { services: { settings: {}, directory, tools: { now: () => new Date() } } } as unknown as Askers;
    return { tried, meant: () => meantReading(REQUEST, { front, askers, trace: new RequestTrace() }) };
  }

  it('is read in the bucket of the signer’s that verifies, and is verified once', async () => {
    const { meant, tried } = inBuckets(['one', 'two-*', 'three', 'four'], 'three');
    const { reading: chosen, signer } = await meant();
    expect([chosen.resource().bucket, signer?.body]).toEqual(['three', BODY]);
    expect(tried).toEqual(['by-path', 'one', 'three']);
  });

  it('is tried in seven buckets at most, and then refused as the most likely reading is', async () => {
    const { meant, tried } = inBuckets(['1', '2', '3', '4', '5', '6', '7', '8'], '8');
    expect(await refusalOf(meant())).toEqual(['SignatureDoesNotMatch', 'of by-path']);
    expect(tried).toHaveLength(8);
    expect(await refusalOf(inBuckets(['acme-*'], undefined).meant())).toEqual(['SignatureDoesNotMatch', 'of by-path']);
  });
});

describe('a request that can be read in several ways', () => {
  it('means the first whose signature verifies, and its signer is known by it', async () => {
    const { meant, verified, trace } = asked('SignatureDoesNotMatch', 'verifies', 'verifies');
    const { reading: chosen, signer } = await meant();
    expect([chosen.resource().bucket, signer?.body, signer?.caller.accessKeyId]).toEqual(['bucket-1', BODY, 'AK']);
    expect(verified).toEqual(['bucket-0', 'bucket-1']);
    expect(trace.tenant).toBe('acme');
  });

  it('is refused as the most likely one is where none verifies, and is logged under nobody', async () => {
    const { meant, came, trace } = asked('SignatureDoesNotMatch', 'SignatureDoesNotMatch');
    expect(await refusalOf(meant())).toEqual(['SignatureDoesNotMatch', 'of bucket-0']);
    await traceRefused(REQUEST, { ...came, meant: undefined });
    expect([trace.tenant, trace.accessKeyId, trace.bucket, trace.operation]).toEqual([
      undefined,
      undefined,
      'bucket-0',
      'Getbucket-0',
    ]);
  });

  it('is not tried further once a signature is refused for what it says', async () => {
    const { meant, verified } = asked('SignatureDoesNotMatch', 'ExpiredRequest', 'verifies');
    expect(await refusalOf(meant())).toEqual(['ExpiredRequest', 'of bucket-1']);
    expect(verified).toEqual(['bucket-0', 'bucket-1']);
  });

  it('is nobody’s under its most likely reading where none has a signature; one that has is never taken for none', async () => {
    const { reading: chosen, signer } = await asked('unsigned', 'unsigned').meant();
    expect([chosen.resource().bucket, signer]).toEqual(['bucket-0', undefined]);
    expect((await refusalOf(asked('unsigned', 'SignatureDoesNotMatch').meant()))[0]).toBe('SignatureDoesNotMatch');
    expect((await asked('unsigned', 'verifies').meant()).reading.resource().bucket).toBe('bucket-1');
  });

  it('may have eight readings; of nine none is tried', async () => {
    const no: Verdict[] = Array(7).fill('SignatureDoesNotMatch');
    expect((await asked(...no, 'verifies').meant()).reading.resource().bucket).toBe('bucket-7');
    const nine = asked('verifies', ...no, 'verifies');
    expect((await refusalOf(nine.meant()))[0]).toBe('InvalidRequest');
    expect(nine.verified).toEqual([]);
  });

  it('is not verified as a preflight, whose signature is of another request', async () => {
    const { meant, verified } = asked('SignatureDoesNotMatch', 'verifies');
    const { reading: chosen } = await meant(wireRequest({ method: 'OPTIONS', target: '/a/b' }));
    expect([chosen.resource().bucket, verified]).toEqual(['bucket-0', []]);
  });

  it('is verified after it was parsed where it is the only one', async () => {
    const { meant, verified } = asked('verifies');
    expect((await meant()).signer).toBeUndefined();
    expect(verified).toEqual([]);
  });

  it.each<[Verdict[], string | undefined]>([
    [['SignatureDoesNotMatch', 'verifies'], 'bucket-1'],
    [['SignatureDoesNotMatch', 'SignatureDoesNotMatch'], undefined],
    [['verifies'], 'bucket-0'],
  ])('%j: pages are told the rules of the bucket that is meant', async (verdicts, expected) => {
    const about: (string | undefined)[] = [];
    const originRules = {
      answerTo: async ({ bucket }: { bucket: string | undefined }) => {
        about.push(bucket);
        return new HeaderList();
      },
    };
    const request = wireRequest({ method: 'GET', target: '/a/b', headers: [['Origin', 'https://app.example.com']] });
    const meaning = asked(...verdicts).meant();
    await corsHeadersFor(request, meaning, { originRules } as never);
    expect(about).toEqual([expected]);
  });
});
