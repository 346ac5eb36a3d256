import { describe, expect, it } from 'vitest';
import { S3_OPERATIONS } from '../../../src/dialects/s3/operation-table.ts';
import { RegisteredKeys } from '../../../src/encryption/registered-keys.ts';
import { GatewayError } from '../../../src/errors.ts';
import { type AskedEncryption, CustomerKey } from '../../../src/operations/encryption.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { holdRules, holdUse } from '../../../src/pipeline/admission/hold-rules.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import { CompiledRules } from '../../../src/tenants/rules/compiled-rules.ts';
import type { RuleFields } from '../../../src/tenants/rules/rule.ts';
import type { Tenant } from '../../../src/tenants/tenant.ts';
import type { Staging } from '../../../src/uploads/staging.ts';
import type { WireClient } from '../../../src/wire/message.ts';
import { bucketPolicy } from '../../tenants/fixture.ts';

const BUCKET = 'acme-a';
const STAGING = { bucket: 'sealgate-staging' } as Staging;
const NONE = new RegisteredKeys({ kek: () => Promise.reject(new Error('no keys')) });
const CUSTOMER: AskedEncryption = { kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 2)) };
const MANAGED: AskedEncryption = { kind: 'managed', algorithm: 'AES256' };
const kms = (keyId?: string): AskedEncryption => ({ kind: 'kms', keyId, context: undefined });

function asker(fields: RuleFields, client: Partial<WireClient> = {}) {
  const rules = new CompiledRules([{ bucket: 'acme-*', fields, file: 'pay.yaml', line: 3, column: 5 }], 'seal');
  const tenant = { buckets: [bucketPolicy({ pattern: '*' })], rules } as unknown as Tenant;
  const trace = new RequestTrace();
  trace.dialect = 's3';
  return {
    tenant,
    staging: STAGING,
    registeredKeys: NONE,
    trace,
    client: { address: '127.0.0.1', secure: false, ...client },
  };
}

/** Which rule refuses; undefined where none does. */
function refusedBy(work: (asked: ReturnType<typeof asker>) => void, asked: ReturnType<typeof asker>) {
  try {
    work(asked);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'AccessDenied', source: 'client' });
    return asked.trace.rule;
  }
}

/** An operation of which only the kind matters here. */
function operation(kind: Operation['kind'], more: object = {}): Operation {
  return { kind, bucket: BUCKET, ref: { bucket: BUCKET, key: 'k' }, ...more } as unknown as Operation;
}

const GET = operation('GetObject');
const PUT = operation('PutObject');

function writes(kind: Operation['kind'], encryption: AskedEncryption | undefined, fields: RuleFields) {
  return refusedBy((asked) => void holdRules(operation(kind), { bucket: BUCKET, encryption }, asked), asker(fields));
}

describe('a bucket that is read-only', () => {
  const taken = S3_OPERATIONS.filter(({ treatment }) => treatment !== 'refused');
  // The vendor's names say what reads: the gateway's own knowledge is held against them.
  const reads = (name: string) => /^(?:Get|Head|List)/.test(name);

  it.each(taken.map(({ name, treatment, method }) => [name, treatment, method] as const))(
    'refuses %s exactly if it changes anything',
    (name, treatment, method) => {
      const kind = name === 'ListObjectsV2' ? 'ListObjects' : name;
      const asked =
        treatment === 'forwarded'
          ? operation('Forward', { name, changes: method !== 'GET' })
          : operation(kind as Operation['kind']);
      const rule = refusedBy(
        (each) => holdRules(asked, { bucket: BUCKET, encryption: undefined }, each),
        asker({ readOnly: true }),
      );
      expect(rule).toBe(reads(name) ? undefined : 'pay.yaml:3:5 readOnly');
      expect(
        refusedBy(
          (each) => holdRules(asked, { bucket: BUCKET, encryption: undefined }, each),
          asker({ readOnly: false }),
        ),
      ).toBeUndefined();
    },
  );

  it('may be a copy’s source', () => {
    expect(refusedBy((asked) => void holdUse(BUCKET, asked), asker({ readOnly: true }))).toBeUndefined();
  });
});

it('an operation on the whole service is nobody’s to refuse', () => {
  const none = { bucket: undefined, encryption: undefined };
  expect(
    refusedBy((asked) => void holdRules(operation('ListBuckets'), none, asked), asker({ networks: ['::1'] })),
  ).toBeUndefined();
});

describe('from where and how a bucket is used', () => {
  it.each<[RuleFields, Partial<WireClient>, string | undefined]>([
    [{ networks: ['10.0.0.0/8'] }, { address: '10.1.2.3' }, undefined],
    [{ networks: ['10.0.0.0/8'] }, { address: '11.1.2.3' }, 'networks'],
    [{ networks: ['10.0.0.0/8', '192.168.0.7'] }, { address: '192.168.0.7' }, undefined],
    [{ networks: ['fd00::/8'] }, { address: 'fd12::1' }, undefined],
    [{ networks: ['fd00::/8'] }, { address: '10.1.2.3' }, 'networks'],
    [{ networks: ['0.0.0.0/0'] }, { address: '' }, 'networks'],
    [{ networks: ['10.0.0.0/8'] }, { address: '10.1.2.3', hidden: true }, 'networks'],
    [{ minTls: '1.2' }, {}, 'minTls'],
    [{ minTls: '1.2' }, { secure: true, tls: '1.2' }, undefined],
    [{ minTls: '1.3' }, { secure: true, tls: '1.2' }, 'minTls'],
    [{ minTls: '1.3' }, { secure: true, tls: '1.3' }, undefined],
    [{ minTls: '1.2' }, { secure: true }, 'minTls'],
    [{ dialects: ['s3'] }, {}, undefined],
    [{ dialects: ['qingstor'] }, {}, 'dialects'],
  ])('%j, for %j: %s', (fields, client, field) => {
    const rule = field && `pay.yaml:3:5 ${field}`;
    expect(
      refusedBy(
        (asked) => void holdRules(GET, { bucket: BUCKET, encryption: undefined }, asked),
        asker(fields, client),
      ),
    ).toBe(rule);
    expect(
      refusedBy(
        (asked) => void holdRules(PUT, { bucket: BUCKET, encryption: undefined }, asked),
        asker(fields, client),
      ),
    ).toBe(rule);
    expect(refusedBy((asked) => void holdUse(BUCKET, asked), asker(fields, client))).toBe(rule);
  });
});

describe('how an object must be encrypted', () => {
  it.each<[RuleFields, AskedEncryption | undefined, string | undefined]>([
    [{ require: 'any' }, undefined, undefined],
    [{ require: 'managed' }, undefined, undefined],
    [{ require: 'managed' }, MANAGED, undefined],
    [{ require: 'managed' }, kms('cards'), 'require'],
    [{ require: 'managed' }, CUSTOMER, 'require'],
    [{ require: 'kms' }, undefined, 'require'],
    [{ require: 'kms' }, MANAGED, 'require'],
    [{ require: 'kms' }, kms(), undefined],
    [{ require: 'customer' }, CUSTOMER, undefined],
    [{ require: 'customer' }, undefined, 'require'],
    [{ keys: ['cards'] }, kms('cards'), undefined],
    [{ keys: ['cards'] }, kms('alias/cards'), undefined],
    [{ keys: ['a/cards'] }, kms('arn:aws:kms:us-east-1:111122223333:key/a/cards'), undefined],
    [{ keys: ['cards'] }, kms('arn:aws:kms:us-east-1:111122223333:alias/cards'), undefined],
    [{ keys: ['cards'] }, kms('other'), 'keys'],
    [{ keys: ['cards'] }, kms('arn:aws:kms:us-east-1:111122223333:key/other/cards'), 'keys'],
    [{ keys: ['cards'] }, kms(), 'keys'],
    [{ keys: ['aws/s3'] }, kms(), undefined],
    [{ keys: ['cards'] }, undefined, undefined],
    [{ customerKeys: 'refuse' }, CUSTOMER, 'customerKeys'],
    [{ customerKeys: 'refuse', require: 'customer' }, CUSTOMER, 'customerKeys'],
    [{ customerKeys: 'refuse' }, undefined, undefined],
    [{ customerKeys: 'allow' }, CUSTOMER, undefined],
  ])('%j, where %j is asked: %s', (fields, encryption, field) => {
    const rule = field && `pay.yaml:3:5 ${field}`;
    for (const kind of ['PutObject', 'PostObject', 'CopyObject', 'CreateMultipartUpload'] as const) {
      expect(writes(kind, encryption, fields)).toBe(rule);
    }
  });

  it('is judged where an object is begun; a customer key also where its bytes are written', () => {
    const strict: RuleFields = { require: 'kms', keys: ['cards'], customerKeys: 'refuse' };
    for (const kind of ['UploadPart', 'UploadPartCopy'] as const) {
      expect(writes(kind, undefined, strict)).toBeUndefined();
      expect(writes(kind, CUSTOMER, strict)).toBe('pay.yaml:3:5 customerKeys');
    }
    for (const kind of ['GetObject', 'HeadObject', 'GetObjectAttributes', 'CompleteMultipartUpload'] as const) {
      expect(writes(kind, CUSTOMER, strict)).toBeUndefined();
    }
  });
});
