import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { FORM_TYPE, formBody, signedFields } from '../../dialects/s3/front/forms.ts';
import fc from '../../support/property.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';
import { exchange, exchangeQingstor, exchangeS3, type Fields, type WireAnswer } from '../../support/wire-client.ts';

/**
 * What a client says of an object beside its bytes, in forms that stores drop, rewrite, merge or act on: whatever was
 * acknowledged reads back to the byte, and what was refused left nothing behind.
 */

const BUCKET = 'acme-metadata';
const FORMS = Number(process.env.SEALGATE_TEST_METADATA_FORMS ?? 500);
const AT_ONCE = 12;

/** Names that stores, proxies and SDKs are known to treat in a way of their own. */
const NAMES = [
  ...['x-amz-unencrypted-content-length', 'x-amz-unencrypted-content-md5', 'x-amz-key', 'x-amz-key-v2', 'x-amz-iv'],
  ...['x-amz-matdesc', 'x-amz-cek-alg', 'x-amz-meta-a', 'x-amz-tagging', 'x-amz-acl', 'x-amz-storage-class'],
  ...['x-minio-internal-compression', 'x-minio-internal-actual-size', 'X-Minio-Internal-Server-Side-Encryption-Iv'],
  ...['x-minio-meta-a', 'minio-object-perf', 'minio-snowball-prefix', 'snowball-auto-extract', 'x-goog-meta-a'],
  ...[
    'mc-attrs',
    's3cmd-attrs',
    'mtime',
    'goog-reserved-file-mtime',
    'uuid',
    'name',
    'hdi_isfolder',
    'etag',
    'expires',
  ],
  ...['content-type', 'content-length', 'content-encoding', 'content-md5', 'md5sum', 'last-modified', 'host', 'date'],
  ...['a_b', 'a-b', 'a.b', 'a--b', '-', '_', '.', '-a', 'a-', 'Upper-Case', 'ALL', '0', "!#$&'*+^`|~", 'constructor'],
  ...['__proto__', 'tostring', 'a'.repeat(128), 'b'.repeat(129), 'c'.repeat(300), 'sx1x-not'.slice(1)],
] as const;

const DATES = ['Tue, 01 Jan 2030 00:00:00 GMT', 'Mon, 01 Jan 2030 00:00:00 GMT', 'Tuesday, 01-Jan-30 00:00:00 GMT'];
const VALUES = [
  ...[
    '',
    'a',
    'a b',
    'a  b',
    'a\tb',
    ' a ',
    '\ta',
    'a,b',
    'a, b',
    ',',
    ';',
    '"',
    '"a"',
    "'",
    '\\',
    '\\"',
    '%41',
    '%',
    '+',
  ],
  ...['=?UTF-8?Q?=C3=A4?=', '=?UTF-8?B?w7Y=?=', '=?utf-8?b?w7Y=?= =?utf-8?b?w7Y=?=', '=?', '?=', 'a =?UTF-8?Q?a?='],
  ...['<a>&amp;</a>', '{"a":1}', 'true', 'false', 'null', 'undefined', 'NaN', '0', '-1', '$1', '#', '..', '/'],
  ...['\xa0', 'a\xa0', '\xfc', '\xff\xfe', '\x80', 'gr\xc3\xbcn', '\xf0\x9f\x98\x80', '\xe4\xb8\xad', '\xef\xbb\xbf'],
  ...DATES,
  ...['Wed, 31 Feb 2030 00:00:00 GMT', '2030-01-01T00:00:00Z', 'never', 'x'.repeat(600), '\xfc'.repeat(300)],
  ...[
    'text/plain',
    'Text/HTML; Charset="UTF-8" ; q=1',
    'application/x-directory',
    'a/b;c',
    'gzip',
    'gzip,br',
    'identity',
  ],
  ...['aws-chunked', 'gzip, AWS-Chunked', 'aws-chunked,gzip', 'aws-chunkedx', 'de, en', 'no-cache, max-age=0'],
  ...['attachment; filename="a b.txt"', "attachment; filename*=UTF-8''%e4", 'attachment; filename="\xfc.txt"'],
] as const;

const CONTENT = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];
const LISTS = ['cache-control', 'content-encoding', 'content-language'];

const byte = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  fc.integer({ min: 0x80, max: 0xff }),
  fc.constant(0x09),
);
const value = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...VALUES) },
  fc.string({ unit: byte.map((code) => String.fromCharCode(code)), maxLength: 24 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => {
    return Buffer.from(text.replace(/[\0-\x1f\x7f]/g, '')).toString('latin1');
  }),
);
const name = fc.oneof(fc.constantFrom(...NAMES), fc.stringMatching(/^[A-Za-z0-9!#$&'*+\-.^_`|~]{1,12}$/));
const OPERATIONS = ['put', 'multipart', 'form', 'copy', 'copy of it', 'qingstor'] as const;

interface Form {
  readonly user: Fields;
  readonly content: Fields;
}

/** A name or a list may be there more than once. */
const form: fc.Arbitrary<Form> = fc.record({
  user: fc
    .array(fc.tuple(name, value), { maxLength: 4 })
    .chain((user) =>
      fc.integer({ min: 0, max: 5 }).map((again) => (again === 0 ? [...user, ...user.slice(0, 1)] : user)),
    ),
  content: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...CONTENT), value), { maxLength: 3, selector: ([one]) => one })
    .chain((content) =>
      fc.integer({ min: 0, max: 5 }).map((again) => {
        return again === 0 ? [...content, ...content.filter(([one]) => LISTS.includes(one)).slice(0, 1)] : content;
      }),
    ),
});

/** Each of them is sent in every way: what is refused, and what just fits. */
const FIXED: readonly Form[] = [
  { user: [['Snowball-Auto-Extract', 'true']], content: [] },
  { user: [['large', 'x'.repeat(1745)]], content: [] },
  { user: [['fits', 'x'.repeat(1745)]], content: [] },
  { user: [['carried', '\xc3\xbc'.repeat(700)]], content: [] },
  { user: [], content: [['content-disposition', `attachment; filename="${'\xc3\xbc'.repeat(700)}"`]] },
  { user: [['carried', '\xc3\xbc'.repeat(620)]], content: [] },
];

const trimmed = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, '');

function merged(fields: Fields, separator: string): Map<string, string> {
  const all = new Map<string, string>();
  for (const [field, sent] of fields) {
    const lower = field.toLowerCase();
    const before = all.get(lower);
    all.set(lower, before === undefined ? trimmed(sent) : `${before}${separator}${trimmed(sent)}`);
  }
  return all;
}

/** What must come back (FORMAT.md §3.2), from what was sent. */
function expected({ user, content }: Form, s3: boolean): Map<string, string> {
  const fields = new Map([...merged(user, ',')].map(([field, sent]) => [`meta ${field}`, sent]));
  for (const [field, sent] of merged(
    content.filter(([, sent]) => trimmed(sent) !== ''),
    ', ',
  )) {
    const framed = s3 && field === 'content-encoding' && /aws-chunked/i.test(sent);
    const kept = framed ? sent.split(',').filter((one) => one.trim().toLowerCase() !== 'aws-chunked') : [sent];
    const settled = trimmed(kept.join(','));
    if (settled !== '') fields.set(field, settled);
  }
  if (!fields.has('content-type')) fields.set('content-type', 'binary/octet-stream');
  return fields;
}

function told({ fields }: WireAnswer, prefix: string): Map<string, string> {
  const own = fields.filter(([field]) => CONTENT.includes(field) || field.startsWith(prefix));
  return merged(
    own.map(([field, got]) => [field.startsWith(prefix) ? `meta ${field.slice(prefix.length)}` : field, got]),
    ' AND ',
  );
}

const ordered = (map: Map<string, string>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));

const withPrefix = (prefix: string, { user, content }: Form): Fields => [
  ...user.map(([field, sent]) => [`${prefix}${field}`, sent] as const),
  ...content,
];

/** As texts, once each: what a page can send. */
function formFields({ user, content }: Form): Fields {
  const text = (sent: string) => Buffer.from(sent, 'latin1').toString('utf8');
  const once = new Map<string, string>();
  for (const [field, sent] of withPrefix('x-amz-meta-', { user, content })) {
    const utf8 = text(sent);
    if (!utf8.includes('\ufffd')) once.set(field.toLowerCase(), utf8);
  }
  return [...once];
}

/** The form that the fields of a page stand for. */
function asSent(fields: Fields): Form {
  const bytes = fields.map(([field, sent]) => [field, Buffer.from(sent).toString('latin1')] as const);
  const isUser = ([field]: readonly [string, string]) => field.startsWith('x-amz-meta-');
  return {
    user: bytes.filter(isUser).map(([field, sent]) => [field.slice('x-amz-meta-'.length), sent]),
    content: bytes.filter((one) => !isUser(one)),
  };
}

describe.each(ALL_STANDS)('metadata over %s', (_name, start) => {
  let stand: Stand;
  let port: number;

  beforeAll(async () => {
    stand = await start();
    port = stand.gateway.port;
    const client = new S3Client(clientSettings(stand.gateway));
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
    expect((await s3('PUT', 'source', { body: Buffer.from('source') })).status).toBe(200);
  });

  afterAll(() => stand?.stop());

  const s3 = (
    method: string,
    key: string,
    more: { readonly query?: string; readonly fields?: Fields; readonly body?: Buffer } = {},
  ) => exchangeS3(port, { method, path: `/${BUCKET}/${key}`, ...more });

  type Operation = (typeof OPERATIONS)[number];

  /** Sends one; what answered, and what of the form was sent. */
  async function put(operation: Operation, key: string, sent: Form): Promise<{ answer: WireAnswer; sent: Form }> {
    const fields = withPrefix('x-amz-meta-', sent);
    const body = Buffer.from(`of ${key}`);
    const source = (from: string): Fields => [['x-amz-copy-source', `/${BUCKET}/${from}`]];
    switch (operation) {
      case 'put':
        return { answer: await s3('PUT', key, { fields, body }), sent };
      case 'copy': {
        const replace: Fields = [['x-amz-metadata-directive', 'REPLACE'], ...source('source')];
        return { answer: await s3('PUT', key, { fields: [...fields, ...replace] }), sent };
      }
      case 'copy of it': {
        const first = await s3('PUT', `${key}-first`, { fields, body });
        if (first.status !== 200) return { answer: first, sent };
        return { answer: await s3('PUT', key, { fields: source(`${key}-first`) }), sent };
      }
      case 'multipart': {
        const created = await s3('POST', key, { query: 'uploads=', fields });
        if (created.status !== 200) return { answer: created, sent };
        const query = `uploadId=${xmlText(readXml(created.body), 'UploadId')}`;
        const part = await s3('PUT', key, { query: `partNumber=1&${query}`, body });
        const etag = part.fields.find(([field]) => field === 'etag')?.[1];
        const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
        return { answer: await s3('POST', key, { query, body: Buffer.from(list) }), sent };
      }
      case 'form': {
        const own = formFields(sent);
        const conditions = [{ bucket: BUCKET }, { key }, ...own.map(([field]) => ['starts-with', `$${field}`, ''])];
        const page: Fields = [
          ['key', key],
          ...own,
          ...signedFields(conditions, { as: { ...TENANT, date: new Date() } }),
        ];
        const answer = await exchange(port, {
          method: 'POST',
          path: `/${BUCKET}`,
          fields: [['content-type', FORM_TYPE]],
          body: formBody(page, body),
        });
        return { answer, sent: asSent(own) };
      }
      case 'qingstor': {
        const path = `/${BUCKET}/${key}`;
        return {
          answer: await exchangeQingstor(port, { method: 'PUT', path, fields: withPrefix('x-qs-meta-', sent), body }),
          sent,
        };
      }
    }
  }

  const counts = { kept: 0, refused: new Map<string, number>() };

  async function check(operation: Operation, key: string, given: Form): Promise<void> {
    const { answer, sent } = await put(operation, key, given);
    const body = operation === 'copy' ? 'source' : `of ${key}`;
    if (answer.status < 300) {
      counts.kept++;
      const want = ordered(expected(sent, operation !== 'qingstor'));
      const qingstor = await exchangeQingstor(port, { method: 'GET', path: `/${BUCKET}/${key}` });
      for (const [got, prefix, bytes] of [
        [await s3('GET', key), 'x-amz-meta-', body],
        [await s3('HEAD', key), 'x-amz-meta-', ''],
        [qingstor, 'x-qs-meta-', body],
      ] as const) {
        expect([got.status, ordered(told(got, prefix)), got.body.toString()]).toEqual([200, want, bytes]);
      }
      return;
    }
    const code = /<Code>(\w+)|"code":"(\w+)"/.exec(answer.body.toString());
    const refusal = `${answer.status} ${code?.[1] ?? code?.[2]}`;
    counts.refused.set(refusal, (counts.refused.get(refusal) ?? 0) + 1);
    const fields = expected(sent, true);
    const unpacked = /true/i.test(fields.get('meta snowball-auto-extract') ?? '');
    const bytes = [...fields].reduce((sum, [field, value]) => sum + field.length + value.length, 0);
    const notAvailable = operation === 'qingstor' ? '501 not_implemented' : '501 NotImplemented';
    const large = operation === 'qingstor' ? '400 metadata_too_large' : '400 MetadataTooLarge';
    const wanted = unpacked ? notAvailable : bytes > 1000 ? large : 'nothing';
    expect(refusal).toBe(wanted);
    expect((await s3('HEAD', key)).status).toBe(404);
  }

  it(`${FORMS} forms of it read back as they were sent, or were refused`, { timeout: 900_000 }, async () => {
    const { seed } = fc.readConfigureGlobal();
    const run = seed ?? Date.now() % 0x7fffffff;
    const fixed = FIXED.flatMap((one) => OPERATIONS.map(() => one));
    const forms = [...fixed, ...fc.sample(form, { seed: run, numRuns: FORMS })];
    const failures: unknown[] = [];
    let next = 0;
    const lane = async () => {
      for (let at = next++; at < forms.length; at = next++) {
        const operation = OPERATIONS[at % OPERATIONS.length] as Operation;
        const given = forms[at] as Form;
        await check(operation, `k${at}`, given).catch((error: unknown) => {
          failures.push({ operation, given, error: error instanceof Error ? error.message : error });
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const refused = [...counts.refused].map(([code, count]) => `${count} × ${code}`).join(', ');
    console.log(`metadata over ${_name}, seed ${run}: ${forms.length} forms, ${counts.kept} kept, refused ${refused}`);
    expect(failures).toEqual([]);
  });
});
