import { Agent, request } from 'node:http';
import { readXml, type XmlElement } from '../../../src/wire/xml/xml.ts';
import {
  encode,
  presign,
  type SignedRequest,
  type Signing,
  sign,
  target,
  type UnsignedRequest,
} from '../../dialects/s3/signature/signing.ts';
import type { Step, StepSignature } from './scenario.ts';

/** One of the two ways to a store. */
export interface WayOptions {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Begins the names of this way's buckets. As long on both ways, so that names do not change what fits. */
  readonly prefix: string;
}

/** What came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The answer to a read of an object, not of something about it: its body is what somebody stored. */
  readonly isObject: boolean;
  /** The body's document, where it is one. */
  readonly document: XmlElement | undefined;
}

type WireAnswer = Omit<Answer, 'isObject'>;

/** Parameters of reads that are still reads. */
const READ_PARAMETERS = /^(?:versionId|partNumber|response-.*)$/;

function asksForObject({ method, key, query = {} }: Step): boolean {
  if (key === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  return Object.keys(query).every((name) => READ_PARAMETERS.test(name));
}

/** Sends signed requests as they are written: no SDK that corrects, retries or hides what an answer says. */
export class ConformanceWay {
  /** What steps kept, by its value. */
  readonly kept = new Map<string, string>();
  readonly prefix: string;
  readonly endpoint: string;
  readonly #options: WayOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(options: WayOptions) {
    this.#options = options;
    this.prefix = options.prefix;
    this.endpoint = options.endpoint;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends one step in this bucket, and keeps of the answer what the step says. */
  async run(step: Step, bucket: string): Promise<Answer> {
    const fill = (text: string) => this.#filled(text, bucket);
    const body = typeof step.body === 'string' ? Buffer.from(fill(step.body)) : (step.body ?? Buffer.alloc(0));
    const { host } = new URL(this.#options.endpoint);
    const named = step.bucket === undefined ? bucket : step.bucket;
    const key = step.key === undefined ? '' : `/${fill(step.key).split('/').map(encode).join('/')}`;
    const request = {
      method: step.method,
      path: named === '' ? '/' : `/${this.prefix}${named}${key}`,
      query: mapped(step.query, fill),
      headers: mapped(step.headers, fill),
      body,
      ...(step.payload !== undefined && { payload: step.payload }),
    };
    const signed = await signedAs(step.signed ?? {}, request, { ...this.#options, host });
    const wire = await this.#send(step.method, signed, body);
    const answer = { ...wire, isObject: wire.status < 400 && asksForObject(step) };
    for (const [name, where] of Object.entries(step.keep ?? {})) this.#keep(name, where, answer);
    return answer;
  }

  #keep(name: string, where: string, answer: Answer): void {
    const [kind, of = ''] = where.split(' ');
    const value = kind === 'header' ? answer.headers[of] : textOf(answer.document, of);
    if (value !== undefined && value !== '') this.kept.set(name, value);
  }

  #filled(text: string, bucket: string): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      if (name === 'bucket') return `${this.prefix}${bucket}`;
      return this.kept.get(name) ?? whole;
    });
  }

  #send(method: string, signed: SignedRequest, body: Buffer): Promise<WireAnswer> {
    const { hostname, port } = new URL(this.#options.endpoint);
    const headers: Record<string, string> = Object.fromEntries(signed.headers);
    if (body.length > 0 || method === 'PUT' || method === 'POST') headers['content-length'] ??= String(body.length);
    return new Promise((resolve, reject) => {
      const sent = request({ agent: this.#agent, hostname, port, method, path: signed.target, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => resolve(answerOf(answer.statusCode ?? 0, answer.headers, Buffer.concat(chunks))));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

/** Who presigns does not know the body, and S3's presigners say so. */
const UNSIGNED = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } as const;

async function signedAs(
  { ageSeconds = 0, expiresSeconds, forged, anonymous, ...as }: StepSignature,
  request: UnsignedRequest,
  owner: Omit<Signing, 'date'>,
): Promise<SignedRequest> {
  const { path, query = {}, headers = {} } = request;
  if (anonymous)
    return { target: target(path, query), headers: Object.entries({ host: owner.host, ...headers }), seed: '' };
  const signing = { ...owner, ...as, date: new Date(Date.now() - ageSeconds * 1_000) };
  const signed = await (expiresSeconds === undefined
    ? sign(request, signing)
    : presign({ ...request, headers: { ...headers, ...UNSIGNED } }, expiresSeconds, signing));
  if (forged === undefined) return signed;
  const { from, to } = forged;
  return {
    ...signed,
    target: signed.target.replace(from, to),
    headers: signed.headers.map(([name, value]) => [name, value.replace(from, to)] as const),
  };
}

function answerOf(status: number, raw: NodeJS.Dict<string | string[]>, body: Buffer): WireAnswer {
  const headers = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, String(value)]));
  return { status, headers, body, document: documentOf(body) };
}

/** Late answers begin with blanks, which no strict reader takes before the declaration. */
function documentOf(body: Buffer): XmlElement | undefined {
  const text = body.toString('utf8').trimStart();
  if (!/^<(?:\?xml|[A-Z])/.test(text)) return undefined;
  try {
    return readXml(Buffer.from(text));
  } catch {
    return undefined;
  }
}

function textOf(element: XmlElement | undefined, name: string): string | undefined {
  if (element === undefined) return undefined;
  if (element.name === name) return element.text;
  for (const child of element.children) {
    const found = textOf(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mapped(
  record: Readonly<Record<string, string>> | undefined,
  fill: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, fill(value)]));
}
