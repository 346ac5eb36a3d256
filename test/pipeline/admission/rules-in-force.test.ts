import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CustomerKey } from '../../../src/operations/encryption.ts';
import { fingerprintOf } from '../../../src/tenants/registered-key.ts';
import { CompiledRules } from '../../../src/tenants/rules/compiled-rules.ts';
import type { BucketRule, RuleFields } from '../../../src/tenants/rules/rule.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { inProcess } from '../in-process.ts';
import { form, keyHeaders, type Send, type Sent, sender, type Told } from './signed-requests.ts';

/** Rules as requests meet them, from their signature to the answer: copies, forms, anonymous and forwarded requests. */

/** The customer key that the tenant has registered. */
const REGISTERED = Buffer.alloc(32, 1);
const ELSEWHERE: RuleFields = { networks: ['203.0.113.0/24'] };

interface Standing {
  readonly stored: (bucket: string) => Promise<readonly string[]>;
  readonly asked: () => string[];
  readonly send: Send;
}

/** Buckets, and the rules that hold for each of them by its name. */
async function stand(rules: Readonly<Record<string, RuleFields>>): Promise<Standing> {
  const here = await inProcess({
    buckets: [{ pattern: 'source' }, { pattern: 'target' }, { pattern: 'open', protection: 'none', anonymous: true }],
  });
  const written = Object.entries(rules).map(([bucket, fields], at): BucketRule => {
    return { bucket, fields, file: 'pay.yaml', line: at + 2, column: 5 };
  });
  const { tenant } = here.context();
  let ruled = tenant;
  const send = sender(here, () => ruled);
  for (const bucket of ['source', 'target', 'open']) {
    await send({ method: 'PUT', path: `/${bucket}/there`, body: Buffer.from('what was there before') });
  }
  const { version, key } = await here.keyRings.current(tenant.ringId);
  const fingerprint = fingerprintOf(REGISTERED, key);
  const registeredKeys = [{ fingerprint, keyVersion: version, label: '', createdAt: new Date() }];
  ruled = { ...tenant, registeredKeys, rules: new CompiledRules(written, 'seal') };
  here.asked();
  return { stored: (bucket) => here.stored.keys(bucket), asked: here.asked, send };
}

const refusedBy = (rule: string) => ({ status: 403, code: 'AccessDenied', rule });
const put = (bucket: string): Sent => ({ method: 'PUT', path: `/${bucket}/k`, body: Buffer.from('new') });
const get = (bucket: string): Sent => ({ method: 'GET', path: `/${bucket}/there` });
const copy = (from: string, to: string): Sent => ({
  method: 'PUT',
  path: `/${to}/copy`,
  headers: { 'x-amz-copy-source': `${from}/there` },
});

describe('in a read-only bucket', () => {
  let here: Standing;
  beforeEach(async () => {
    here = await stand({ target: { readOnly: true }, open: { readOnly: true } });
  });

  it('nothing is written, by whatever way, and the store hears of nothing', async () => {
    const rule = 'pay.yaml:2:5 readOnly';
    for (const sent of [put('target'), copy('source', 'target'), { ...get('target'), method: 'DELETE' }]) {
      expect(await here.send(sent), `${sent.method} ${sent.path}`).toMatchObject(refusedBy(rule));
    }
    expect(await here.send(form('target'), 'nobody')).toMatchObject(refusedBy(rule));
    const uploads = { method: 'POST', path: '/target/k', query: { uploads: '' } };
    expect(await here.send(uploads)).toMatchObject(refusedBy(rule));
    const deletion = '<Delete><Object><Key>there</Key></Object></Delete>';
    const deletions = { method: 'POST', path: '/target', query: { delete: '' }, body: Buffer.from(deletion) };
    expect(await here.send(deletions)).toMatchObject(refusedBy(rule));
    const tagging = { method: 'PUT', path: '/target/there', query: { tagging: '' } };
    expect(await here.send(tagging)).toMatchObject(refusedBy(rule));
    expect(await here.send(put('open'), 'nobody')).toMatchObject(refusedBy('pay.yaml:3:5 readOnly'));
    expect(here.asked()).toEqual([]);
    expect(await here.stored('target')).toEqual(['there']);
  });

  it('what reads is served, tags and copies elsewhere too', async () => {
    expect(await here.send(get('target'))).toMatchObject({
      status: 200,
      body: 'what was there before',
      rule: undefined,
    });
    expect(await here.send(get('open'), 'nobody')).toMatchObject({ status: 200, body: 'what was there before' });
    expect(await here.send({ ...get('target'), query: { tagging: '' } })).toBe('forwarded');
    expect(await here.send(copy('target', 'source'))).toMatchObject({ status: 200 });
  });

  it('the client hears why, and nothing of the rule’s place', async () => {
    const told = await here.send(put('target'));
    expect(told).toMatchObject({ body: expect.stringContaining('<Message>The bucket is read-only.</Message>') });
    expect((told as Told).body).not.toContain('pay.yaml');
  });
});

describe('a bucket that may be used from elsewhere only', () => {
  it('is neither read, written, listed nor copied from', async () => {
    const here = await stand({ source: ELSEWHERE });
    const rule = 'pay.yaml:2:5 networks';
    const list = { method: 'GET', path: '/source' };
    for (const sent of [get('source'), put('source'), list, copy('source', 'target'), copy('target', 'source')]) {
      expect(await here.send(sent), `${sent.method} ${sent.path}`).toMatchObject(refusedBy(rule));
    }
    const created = (await here.send({ method: 'POST', path: '/target/u', query: { uploads: '' } })) as Told;
    const uploadId = xmlText(readXml(Buffer.from(created.body)), 'UploadId') ?? '';
    const part = { ...copy('source', 'target'), path: '/target/u', query: { uploadId, partNumber: '1' } };
    expect(await here.send(part)).toMatchObject(refusedBy(rule));
    expect(await here.send(form('source'), 'nobody')).toMatchObject(refusedBy(rule));
    expect(await here.send(get('target'))).toMatchObject({ status: 200 });
  });

  it('is closed to requests without a signature, too', async () => {
    const here = await stand({ open: ELSEWHERE });
    expect(await here.send(get('open'), 'nobody')).toMatchObject(refusedBy('pay.yaml:2:5 networks'));
    expect(here.asked()).toEqual([]);
  });
});

describe('what a rule says of encryption', () => {
  it('is held where an object is begun', async () => {
    const here = await stand({ target: { require: 'kms' } });
    for (const sent of [put('target'), copy('source', 'target')]) {
      expect(await here.send(sent)).toMatchObject(refusedBy('pay.yaml:2:5 require'));
    }
    expect(await here.send(form('target'), 'nobody')).toMatchObject(refusedBy('pay.yaml:2:5 require'));
    expect(await here.send(get('target'))).toMatchObject({ status: 200 });
    expect(await here.stored('target')).toEqual(['there']);
  });
});

describe('a rule that asks for a KMS key', () => {
  const headers = { 'x-amz-server-side-encryption': 'aws:kms' };

  it('lets requests with one pass, if it is among those that the rule names', async () => {
    const here = await stand({ source: { require: 'kms', keys: ['aws/s3'] }, target: { keys: ['cards'] } });
    expect(await here.send({ ...put('source'), headers })).toMatchObject({ status: 200 });
    expect(await here.send({ ...put('target'), headers })).toMatchObject(refusedBy('pay.yaml:3:5 keys'));
    expect(await here.send(put('target'))).toMatchObject({ status: 200 });
  });

  it('is content with what the bucket’s default gives', async () => {
    const here = await stand({ target: { require: 'kms' } });
    expect(await here.send(put('target'))).toMatchObject(refusedBy('pay.yaml:2:5 require'));
    const rule =
      '<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault>';
    const body = Buffer.from(
      `<ServerSideEncryptionConfiguration><Rule>${rule}</Rule></ServerSideEncryptionConfiguration>`,
    );
    const set = { method: 'PUT', path: '/target', query: { encryption: '' }, body };
    expect(await here.send(set)).toMatchObject({ status: 200 });
    expect(await here.send(put('target'))).toMatchObject({ status: 200 });
    const managed = { 'x-amz-server-side-encryption': 'AES256' };
    expect(await here.send({ ...put('target'), headers: managed })).toMatchObject(refusedBy('pay.yaml:2:5 require'));
  });
});

describe('a customer key', () => {
  const headers = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': 'bm8ga2V5',
    'x-amz-server-side-encryption-customer-key-md5': 'bm8gTUQ1',
  };

  it('that a rule refuses is not looked at, even if it is none', async () => {
    const here = await stand({ target: { customerKeys: 'refuse' } });
    for (const given of [headers, { ...headers, 'x-amz-server-side-encryption': 'aws:kms' }]) {
      const sent = { headers: given };
      expect(await here.send({ ...put('target'), ...sent })).toMatchObject(refusedBy('pay.yaml:2:5 customerKeys'));
      expect(await here.send({ ...put('source'), ...sent })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    }
    expect(here.asked()).toEqual([]);
  });

  it('is taken where it was registered, and no other is', async () => {
    const here = await stand({ target: { customerKeys: 'registered' } });
    const other = await here.send({ ...put('target'), headers: keyHeaders(Buffer.alloc(32, 2)) });
    expect(other).toMatchObject(refusedBy('pay.yaml:2:5 customerKeys'));
    const registered = (await here.send({ ...put('target'), headers: keyHeaders(REGISTERED) })) as Told;
    expect(registered.code).not.toBe('AccessDenied');
    expect(await here.send({ ...put('target'), headers })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await here.send(put('target'))).toMatchObject({ status: 200 });
  });
});

describe('what a rule says of how objects lie', () => {
  it('is how they are written and shown', async () => {
    const here = await stand({ target: { etag: 'md5', plaintextReads: 'allow' } });
    await here.send(put('target'));
    const listed = (await here.send({ method: 'GET', path: '/target' })) as Told;
    expect(listed.body).toContain('22af645d1859cb5ca6da0c484f1f37ea'); // the MD5 of `new`
  });
});

describe('a customer’s key', () => {
  it.each([
    ['a request that a rule refuses', put('target'), 'signature'],
    ['a copy that one refuses', copy('source', 'target'), 'signature'],
    ['a request that nobody signed', put('target'), 'nobody'],
  ] as const)('is erased after %s', async (_, sent, by) => {
    const here = await stand({ target: { customerKeys: 'refuse' } });
    const erased = vi.spyOn(CustomerKey.prototype, 'erase');
    onTestFinished(() => erased.mockRestore());
    const headers = { ...sent.headers, ...keyHeaders(REGISTERED) };
    expect(await here.send({ ...sent, headers }, by)).toMatchObject({ status: 403 });
    expect(erased).toHaveBeenCalled();
  });
});
