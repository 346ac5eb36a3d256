import { createHash, createHmac } from 'node:crypto';
import { FORM_TYPE, formBody, signedFields } from '../../dialects/s3/front/forms.ts';
import { encode, type Signing, type UnsignedRequest } from '../../dialects/s3/signature/signing.ts';
import { type RawAsked, signedExchange } from '../../support/raw-exchange.ts';

/** What an attacker is after, and from where. */
export interface Aim {
  /** The attacker's own buckets: one sealed, one not. */
  readonly buckets: readonly string[];
  /** Names of what must not be reached, as paths from the folder that holds all buckets. */
  readonly targets: readonly string[];
}

/** The same numbers for the same seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

const CLIMBS = ['../', './../', 'a/../../', '/../', '..//', '..\\', '.../', ' .. /', 'a/b/../../../', '../a/../../'];
const ODD = [
  '',
  '.',
  '..',
  '/',
  '//',
  '\0',
  'a\0b',
  'a\nb',
  '\r\n',
  '\u0001',
  'ü',
  'a'.repeat(2_000),
  '../'.repeat(300),
];

/** Bytes that are no UTF-8, or say `../` at too great a length; on the wire only. */
const OVERLONG = ['%C0%AE%C0%AE%C0%AF', '%E0%80%AE%E0%80%AE%E0%80%AF', '%FF..%2F..%2F', '%C0%AE%C0%AE/'];

function climbing(dice: Dice, { targets }: Aim): string {
  return dice.of(CLIMBS).repeat(1 + dice.below(5)) + dice.of(targets);
}

/** Climbing, encoded once or twice, in base64 behind what stores cut off, empty, huge, or with control characters. */
function identifier(dice: Dice, aim: Aim): string {
  const climb = climbing(dice, aim);
  switch (dice.below(8)) {
    case 0:
      return dice.of(ODD);
    case 1:
      return encodeURIComponent(climb);
    case 2:
      return encodeURIComponent(encodeURIComponent(climb));
    case 3: {
      const hidden = dice.of(['', 'x.', '\xff.', '0fb7f2bd-7d3b-4d6b-a2d5-f6ff4a2b3d4e.']) + climb;
      const text = Buffer.from(hidden, 'latin1').toString(dice.of(['base64', 'base64url']));
      return dice.below(3) === 0 ? Buffer.from(text).toString('base64url') : text;
    }
    case 4: {
      const mark = `[minio_cache:v2,id:${climb},p:0,s:0]`;
      return dice.below(2) === 0 ? `k${mark}` : Buffer.from(`k${mark}`).toString('base64');
    }
    default:
      return climb;
  }
}

/** In a path: as it is where the wire allows it, every byte encoded, or encoded once too often. */
function inPath(dice: Dice, text: string): string {
  switch (dice.below(5)) {
    case 0:
      return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    case 1:
      return encode(encode(text));
    case 2:
      return dice.of(OVERLONG) + encode(text).replaceAll('%2F', '/');
    default:
      return encode(text).replaceAll('%2F', '/');
  }
}

const escaped = (text: string) => text.replace(/[<&>]/g, (each) => `&#${each.charCodeAt(0)};`);
const md5 = (body: Buffer) => createHash('md5').update(body).digest('base64');

type Forger = (dice: Dice, aim: Aim) => UnsignedRequest;

const OBJECT_REQUESTS: readonly (readonly [method: string, query: Record<string, string>, body?: string])[] = [
  ['GET', {}],
  ['HEAD', {}],
  ['PUT', {}, 'mine'],
  ['DELETE', {}],
  ['GET', { tagging: '' }],
  ['PUT', { tagging: '' }, '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'],
  ['DELETE', { tagging: '' }],
  ['GET', { acl: '' }],
  ['PUT', { retention: '' }, '<Retention><Mode>GOVERNANCE</Mode></Retention>'],
  ['GET', { 'legal-hold': '' }],
  ['GET', { attributes: '' }],
  ['POST', { uploads: '' }],
  ['POST', { restore: '' }, '<RestoreRequest><Days>1</Days></RestoreRequest>'],
];

function objectRequest(dice: Dice, path: string, more: Record<string, string> = {}): UnsignedRequest {
  const [method, query, text = ''] = dice.of(OBJECT_REQUESTS);
  const body = Buffer.from(text);
  const headers: Record<string, string> = {};
  if ('attributes' in query) headers['x-amz-object-attributes'] = 'ETag';
  if (body.length > 0) headers['content-md5'] = md5(body);
  return { method, path, query: { ...query, ...more }, headers, body };
}

const COMPLETE =
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part></CompleteMultipartUpload>';

/** One for each place that an identifier may stand in. */
const PLACES: Readonly<Record<string, Forger>> = {
  key: (dice, aim) => objectRequest(dice, `/${dice.of(aim.buckets)}/${inPath(dice, identifier(dice, aim))}`),
  bucket: (dice, aim) => {
    const path = `/${inPath(dice, identifier(dice, aim))}`;
    return {
      method: dice.of(['GET', 'HEAD', 'PUT', 'DELETE']),
      path: dice.below(2) === 0 ? path : `${path}/k`,
      query: {},
    };
  },
  copySource: (dice, aim) => {
    const name = identifier(dice, aim);
    const source = dice.of([name, `/${name}`, `${dice.of(aim.buckets)}/${name}`]);
    const version = dice.below(3) === 0 ? `?versionId=${encode(identifier(dice, aim))}` : '';
    const headers = { 'x-amz-copy-source': (dice.below(2) === 0 ? encode(source) : inPath(dice, source)) + version };
    const part: Record<string, string> =
      dice.below(2) === 0 ? {} : { partNumber: '1', uploadId: identifier(dice, aim) };
    return { method: 'PUT', path: `/${dice.of(aim.buckets)}/copy`, query: part, headers };
  },
  uploadId: (dice, aim) => {
    const [method, more, body] = dice.of([
      ['DELETE', {}, ''],
      ['GET', {}, ''],
      ['PUT', { partNumber: '1' }, 'mine'],
      ['POST', {}, COMPLETE],
    ] as const);
    const query = { ...more, uploadId: identifier(dice, aim) };
    return { method, path: `/${dice.of(aim.buckets)}/${dice.of(['k', 'a/b'])}`, query, body: Buffer.from(body) };
  },
  versionId: (dice, aim) => objectRequest(dice, `/${dice.of(aim.buckets)}/k`, { versionId: identifier(dice, aim) }),
  partNumber: (dice, aim) => {
    const query = { partNumber: identifier(dice, aim), uploadId: dice.of(['k', identifier(dice, aim)]) };
    return { method: dice.of(['GET', 'PUT']), path: `/${dice.of(aim.buckets)}/k`, query };
  },
  listing: (dice, aim) => {
    const form = dice.of<{ readonly names: readonly string[]; readonly query: Record<string, string> }>([
      { names: ['prefix', 'delimiter', 'marker'], query: {} },
      { names: ['prefix', 'delimiter', 'start-after', 'continuation-token'], query: { 'list-type': '2' } },
      { names: ['prefix', 'delimiter', 'key-marker', 'version-id-marker'], query: { versions: '' } },
      { names: ['prefix', 'delimiter', 'key-marker', 'upload-id-marker'], query: { uploads: '' } },
    ]);
    const query: Record<string, string> = { ...form.query };
    for (const name of form.names) if (dice.below(2) === 0) query[name] = identifier(dice, aim);
    return { method: 'GET', path: `/${dice.of(aim.buckets)}`, query };
  },
  parts: (dice, aim) => {
    const query = { uploadId: identifier(dice, aim), 'part-number-marker': identifier(dice, aim) };
    return { method: 'GET', path: `/${dice.of(aim.buckets)}/k`, query };
  },
  batch: (dice, aim) => {
    const objects = Array.from({ length: 1 + dice.below(8) }, () => {
      const version = dice.below(4) === 0 ? `<VersionId>${escaped(identifier(dice, aim))}</VersionId>` : '';
      return `<Object><Key>${escaped(identifier(dice, aim))}</Key>${version}</Object>`;
    });
    const body = Buffer.from(`<Delete>${objects.join('')}</Delete>`);
    return {
      method: 'POST',
      path: `/${dice.of(aim.buckets)}`,
      query: { delete: '' },
      headers: { 'content-md5': md5(body) },
      body,
    };
  },
  tags: (dice, aim): UnsignedRequest => {
    const name = identifier(dice, aim);
    const document = `<Tagging><TagSet><Tag><Key>${escaped(name)}</Key><Value>v</Value></Tag></TagSet></Tagging>`;
    const path = `/${dice.of(aim.buckets)}/k`;
    if (dice.below(2) === 0)
      return { method: 'PUT', path, query: {}, headers: { 'x-amz-tagging': `${encode(name)}=v` } };
    return {
      method: 'PUT',
      path,
      query: { tagging: '' },
      headers: { 'content-md5': md5(Buffer.from(document)) },
      body: Buffer.from(document),
    };
  },
  metadata: (dice, aim) => {
    const name = encode(identifier(dice, aim)).slice(0, 200);
    const value = encode(identifier(dice, aim)).slice(0, 200);
    return { method: 'PUT', path: `/${dice.of(aim.buckets)}/k`, query: {}, headers: { [`x-amz-meta-${name}`]: value } };
  },
  location: (dice, aim) => {
    const name = escaped(identifier(dice, aim));
    const body = `<CreateBucketConfiguration><LocationConstraint>${name}</LocationConstraint></CreateBucketConfiguration>`;
    return { method: 'PUT', path: `/acme-new-${dice.below(1000)}`, query: {}, body: Buffer.from(body) };
  },
};

function form(dice: Dice, aim: Aim, as: Signing): RawAsked {
  const key = identifier(dice, aim);
  const bucket = dice.of(aim.buckets);
  const fields = signedFields([{ bucket }, { key }], { as });
  const body = formBody([['bucket', bucket], ['key', key], ...fields], Buffer.from('mine'));
  return {
    method: 'POST',
    target: `/${bucket}`,
    headers: [
      ['host', as.host],
      ['content-type', FORM_TYPE],
    ],
    body,
  };
}

/** QingStor's own paths and fields, signed as it signs. */
function qingstor(dice: Dice, aim: Aim, as: Signing): RawAsked {
  const bucket = dice.of(aim.buckets);
  const date = as.date.toUTCString();
  const deletes = dice.below(3) === 0;
  const lists = !deletes && dice.below(3) === 0;
  const method = deletes ? 'POST' : lists ? 'GET' : dice.of(['GET', 'HEAD', 'PUT', 'DELETE']);
  const objects = Array.from({ length: 1 + dice.below(5) }, () => ({ key: identifier(dice, aim) }));
  const body = Buffer.from(deletes ? JSON.stringify({ objects }) : method === 'PUT' ? 'mine' : '');
  const path = deletes || lists ? `/${bucket}` : `/${bucket}/${inPath(dice, identifier(dice, aim))}`;
  const query = lists
    ? `?prefix=${encode(identifier(dice, aim))}&marker=${encode(identifier(dice, aim))}`
    : deletes
      ? '?delete'
      : '';
  const digest = deletes ? md5(body) : '';
  const text = `${method}\n${digest}\n\n\nx-qs-date:${date}\n${path}${deletes ? '?delete' : ''}`;
  const signature = createHmac('sha256', as.secretAccessKey).update(text, 'latin1').digest('base64');
  const headers: (readonly [string, string])[] = [
    ['host', as.host],
    ['x-qs-date', date],
    ['authorization', `QS ${as.accessKeyId}:${signature}`],
    ...(deletes ? [['content-md5', digest] as const] : []),
  ];
  return { method, target: path + query, headers, body };
}

const FORGERS = [...Object.entries(PLACES).map(([place, forger]) => ({ place, forger }))];

/** The next request of an attacker, and which place of it holds the identifier. */
export async function forged(
  dice: Dice,
  aim: Aim,
  as: Signing,
): Promise<{ readonly place: string; readonly asked: RawAsked }> {
  const at = dice.below(FORGERS.length + 2);
  if (at === FORGERS.length) return { place: 'form', asked: form(dice, aim, as) };
  if (at > FORGERS.length) return { place: 'qingstor', asked: qingstor(dice, aim, as) };
  const { place, forger } = FORGERS[at] as (typeof FORGERS)[number];
  return { place, asked: await signedExchange(forger(dice, aim), as) };
}
