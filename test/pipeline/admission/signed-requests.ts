import { createHash } from 'node:crypto';
import type { FrontDialect } from '../../../src/dialects/front-dialect.ts';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { Tenant } from '../../../src/tenants/tenant.ts';
import type { WireResponse } from '../../../src/wire/message.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { FORM_TYPE, formBody, signedFields } from '../../dialects/s3/front/forms.ts';
import { sign } from '../../dialects/s3/signature/signing.ts';
import { wireRequest } from '../../support/requests.ts';
import type { InProcess } from '../in-process.ts';

/* Requests from their signature to the answer, over a pipeline in this process. */

const KEY = { accessKeyId: 'AKIDRULES', secretAccessKey: 'secretOfTheRules' };

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Told {
  readonly status: number;
  readonly code: string | undefined;
  /** What the log says of the rule that refused the request. */
  readonly rule: string | undefined;
  readonly body: string;
}

export type Send = (sent: Sent, by?: 'signature' | 'nobody') => Promise<Told | 'forwarded'>;

/** Sends requests of a tenant's, who also owns every bucket that nobody's requests ask for. */
export function sender(
  here: Pick<InProcess, 'handling'>,
  tenant: () => Tenant,
  fronts: readonly FrontDialect[] = [createS3Front(() => new Date())],
): Send {
  const directory = {
    caller: async () => ({
      tenant: tenant(),
      accessKeyId: KEY.accessKeyId,
      secret: { reveal: () => KEY.secretAccessKey },
    }),
    owner: async () => tenant(),
  } as unknown as HandlerServices['directory'];
  const handle = createHandler({ ...here.handling, fronts, directory });
  return async ({ method, path, query, headers, body }, by = 'signature') => {
    const as = { ...KEY, host: 'h', date: new Date() };
    const length: Record<string, string> = body === undefined ? {} : { 'content-length': String(body.length) };
    const about = { method, path, headers: { ...length, ...headers }, ...(query && { query }), ...(body && { body }) };
    const { target, headers: signed } = await sign(about, as);
    const unsigned = [['host', 'h'], ...Object.entries(about.headers)] as const;
    const request = wireRequest({
      method,
      target,
      headers: by === 'nobody' ? unsigned : signed,
      ...(body && { body }),
    });
    const trace = new RequestTrace();
    const answer = await handle(request, trace);
    if ('passThrough' in answer) return 'forwarded';
    const text = await textOf(answer);
    const code = /<Error>/.test(text) ? xmlText(readXml(Buffer.from(text)), 'Code') : undefined;
    return { status: answer.status, code, rule: trace.rule, body: text };
  };
}

async function textOf({ body }: WireResponse): Promise<string> {
  if (body === undefined || Buffer.isBuffer(body)) return (body ?? '').toString();
  let text = '';
  for await (const piece of body) text += piece.toString();
  return text;
}

/** The headers of a customer's key, well-formed. */
export function keyHeaders(key: Buffer): Readonly<Record<string, string>> {
  const prefix = 'x-amz-server-side-encryption-customer-';
  return {
    [`${prefix}algorithm`]: 'AES256',
    [`${prefix}key`]: key.toString('base64'),
    [`${prefix}key-md5`]: createHash('md5').update(key).digest('base64'),
  };
}

/** A form that stores the object `k`. @param also further fields, which its policy names */
export function form(bucket: string, also: Readonly<Record<string, string>> = {}): Sent {
  const more = Object.entries(also);
  const conditions = [{ bucket }, { key: 'k' }, ...more.map(([name, value]) => ({ [name]: value }))];
  const fields = [['key', 'k'] as const, ...more, ...signedFields(conditions, { as: { ...KEY, date: new Date() } })];
  const body = formBody(fields, Buffer.from('a file'));
  return { method: 'POST', path: `/${bucket}`, headers: { 'content-type': FORM_TYPE }, body };
}
