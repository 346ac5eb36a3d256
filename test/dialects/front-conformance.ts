import { describe, expect, it } from 'vitest';
import type { FrontDialect } from '../../src/dialects/front-dialect.ts';
import { FRONTS } from '../../src/dialects/table.ts';
import { clientError, type ErrorCode } from '../../src/errors.ts';
import { createHandler } from '../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../src/pipeline/trace.ts';
import { CompiledRules } from '../../src/tenants/rules/compiled-rules.ts';
import type { RuleFields } from '../../src/tenants/rules/rule.ts';
import { collect } from '../../src/wire/bodies/collect.ts';
import { WireRequest, type WireResponse } from '../../src/wire/message.ts';
import { inProcess } from '../pipeline/in-process.ts';

/** A request before its dialect signed it. */
export interface AskedRequest {
  readonly method: string;
  /** Percent-encoded, with its query. */
  readonly target: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
}

/** One thing that a dialect can be asked, how it is answered, and what its answer's body must be. */
export interface SpokenOperation {
  /** As the log names it. */
  readonly name: string;
  readonly asked: AskedRequest;
  readonly status: number;
  readonly body?: RegExp;
}

/** What a front shows of itself to the tests that every front passes. Buckets and keys are `box/k`. */
export interface FrontUnderTest {
  readonly front: FrontDialect;
  /** A request as the vendor's SDK would send it; unsigned without a key. */
  readonly request: (
    asked: AskedRequest,
    key: { readonly accessKeyId: string; readonly secret: string } | undefined,
  ) => Promise<WireRequest>;
  /** In turn, over an empty bucket. The first stores `CONTENT` as `box/k`. */
  readonly operations: readonly SpokenOperation[];
  /** What the vendor has, and what the gateway does not do. */
  readonly unknown: readonly AskedRequest[];
  /** A GET of `box/absent`. */
  readonly absent: AskedRequest;
  /** How the vendor spells these errors. */
  readonly spelled: Readonly<Record<SpelledCode, readonly [status: number, code: string]>>;
  /** The vendor's code in an error's body. */
  readonly codeIn: (body: string) => string | undefined;
}

type SpelledCode = Extract<
  ErrorCode,
  'NoSuchKey' | 'SignatureDoesNotMatch' | 'InvalidAccessKeyId' | 'AnonymousRequest' | 'NotImplemented'
>;

export const CONTENT = Buffer.from('what a client trusts to be secret');
const KEY = { accessKeyId: 'AKIDCONFORMANCE', secret: 'secretOfTheConformance' };

/** What every front is held to, over a gateway of this process and an embedded store. */
export function frontConformance({ front, ...speaks }: FrontUnderTest): void {
  let here: Awaited<ReturnType<typeof stand>>;

  describe(`the ${front.name} front`, () => {
    it('answers every operation that it speaks, under its own name, and nothing lies in clear', async () => {
      here = await stand(front);
      for (const { name, asked, status, body } of speaks.operations) {
        const answer = await here.ask(await speaks.request(asked, KEY));
        expect([answer.trace.dialect, answer.trace.operation, answer.status, answer.trace.tenant]).toEqual([
          front.name,
          name,
          status,
          'acme',
        ]);
        if (body !== undefined) expect(answer.body).toMatch(body);
        expect(`${answer.headers}\n${answer.body}`).toContain(answer.id);
        if (asked.method === 'HEAD' || status === 204) expect(answer.body).toBe('');
        if (name === 'PutObject') expect((await here.stored('k')).includes(CONTENT)).toBe(false);
      }
    });

    it('refuses every operation of a bucket that rules keep for another dialect, and asks the store nothing', async () => {
      here = await stand(front, { dialects: ['another'] });
      const ofBuckets = speaks.operations.filter(({ name }) => name !== 'ListBuckets');
      for (const { name, asked } of ofBuckets) {
        const { status, trace } = await here.ask(await speaks.request(asked, KEY));
        expect([name, status, trace.errorCode, trace.rule]).toEqual([
          name,
          403,
          'AccessDenied',
          'rules.yaml:2:5 dialects',
        ]);
      }
      expect(here.asked()).toEqual([]);
    });

    it('tells an error in its vendor’s words', async () => {
      here = await stand(front);
      const { absent } = speaks;
      expect(await refusal(await speaks.request(absent, KEY))).toEqual(speaks.spelled.NoSuchKey);
      const head = await here.ask(await speaks.request({ ...absent, method: 'HEAD' }, KEY));
      expect([head.status, head.body]).toEqual([speaks.spelled.NoSuchKey[0], '']);
    });

    it('lets in nobody whose signature is another’s, of another request, or missing, and asks the store nothing', async () => {
      here = await stand(front);
      const [put] = speaks.operations as readonly [SpokenOperation];
      for (const asked of [put.asked, speaks.absent]) {
        const cases: [SpelledCode, WireRequest][] = [
          ['InvalidAccessKeyId', await speaks.request(asked, { ...KEY, accessKeyId: 'AKIDSTRANGER' })],
          ['SignatureDoesNotMatch', await speaks.request(asked, { ...KEY, secret: 'another' })],
          ['SignatureDoesNotMatch', moved(await speaks.request(asked, KEY))],
          ['AnonymousRequest', await speaks.request(asked, undefined)],
        ];
        for (const [code, request] of cases) {
          const told = await refusal(request);
          expect(told, `${request.method}: ${code}`).toEqual(speaks.spelled[code]);
        }
      }
      expect(here.asked()).toEqual([]);
    });

    it('refuses what it does not know, and forwards none of it', async () => {
      here = await stand(front);
      for (const asked of speaks.unknown) {
        const told = await refusal(await speaks.request(asked, KEY));
        expect(told, `${asked.method} ${asked.target}`).toEqual(speaks.spelled.NotImplemented);
      }
      expect(here.asked()).toEqual([]);
    });
  });

  async function refusal(request: WireRequest): Promise<readonly [number, string | undefined]> {
    const { status, body } = await here.ask(request);
    return [status, speaks.codeIn(body)];
  }
}

/** The same request to another key, its signature as it was. */
function moved(request: WireRequest): WireRequest {
  const { id, method, headers, body, client, signal, target } = request;
  const rawTarget = `${target.rawPath}x${target.rawQuery === '' ? '' : `?${target.rawQuery}`}`;
  return new WireRequest({ id, method, rawTarget, headers, body, client, signal });
}

async function stand(front: FrontDialect, fields?: RuleFields) {
  const here = await inProcess();
  const rule = fields && { bucket: '*', fields, file: 'rules.yaml', line: 2, column: 5 };
  const tenant = { ...here.context().tenant, ...(rule && { rules: new CompiledRules([rule], 'seal') }) };
  const caller = async (accessKeyId: string) =>
    accessKeyId === KEY.accessKeyId ? { tenant, accessKeyId, secret: { reveal: () => KEY.secret } } : undefined;
  const directory = { caller, owner: async () => tenant } as unknown as HandlerServices['directory'];
  // One that has no row in dialects/table.ts is registered as if it had.
  const fronts = FRONTS.includes(front) ? FRONTS : [front, ...FRONTS];
  const handle = createHandler({ ...here.handling, fronts, directory });
  here.asked();
  return {
    asked: here.asked,
    stored: async (key: string) => (await here.stored.read('box', key)).bytes,
    async ask(request: WireRequest) {
      const trace = new RequestTrace();
      const answer = await handle(request, trace);
      if ('passThrough' in answer) throw new Error('The request was forwarded.');
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      return { id: request.id, trace, status: answer.status, headers, body: await textOf(answer) };
    },
  };
}

async function textOf({ body }: WireResponse): Promise<string> {
  if (body === undefined || Buffer.isBuffer(body)) return (body ?? '').toString();
  return (await collect(body, 1024 * 1024, () => clientError('EntityTooLarge', 'The answer is too long.'))).toString();
}
