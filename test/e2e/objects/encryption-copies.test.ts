import { createHash } from 'node:crypto';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CUSTOMER_RING } from '../../../src/encryption/key-source.ts';
import { decodeEnvelope, ENVELOPE_ENTRY } from '../../../src/envelope/envelope.ts';
import { readEnvelopeHead } from '../../../src/envelope/envelope-head.ts';
import { payload } from '../../support/payload.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, onceClient, read, refusal } from '../../support/sight.ts';

/** Copies between all forms of encryption: what clients are told, what they read, and what lies in the store then. */

const Bucket = 'acme-encryption-copies';

interface Form {
  /** What a request says that begins an object in this form. */
  readonly asked: Partial<s3.PutObjectCommandInput>;
  /** What a request about an object in this form brings. */
  readonly key: CustomerKeyFields | undefined;
  /** What every answer about such an object says of encryption. */
  readonly told: Readonly<Record<string, string | undefined>>;
  /** The name of the key ring under whose key it lies; undefined for the tenant's own, and for a customer's key. */
  readonly named?: string;
}

interface CustomerKeyFields {
  readonly SSECustomerAlgorithm: string;
  readonly SSECustomerKey: string;
  readonly SSECustomerKeyMD5: string;
}

const TOLD = [
  'ServerSideEncryption',
  'SSEKMSKeyId',
  'SSECustomerAlgorithm',
  'SSECustomerKeyMD5',
  'BucketKeyEnabled',
] as const;

function kms(name: string): Form {
  const asked = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: name } as const;
  return { asked, key: undefined, told: asked, named: name };
}

function customer(fill: number): Form {
  const bytes = Buffer.alloc(32, fill);
  const told = {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKeyMD5: createHash('md5').update(bytes).digest('base64'),
  };
  const key = { ...told, SSECustomerKey: bytes.toString('base64') };
  return { asked: key, key, told };
}

const AES256 = { ServerSideEncryption: 'AES256' } as const;
const FORMS: Readonly<Record<string, Form>> = {
  none: { asked: {}, key: undefined, told: AES256 },
  AES256: { asked: AES256, key: undefined, told: AES256 },
  'KMS key A': kms('cards'),
  'KMS key B': kms('pay/roll'),
  'customer key 1': customer(1),
  'customer key 2': customer(2),
};
const NAMES = Object.keys(FORMS);
const PAIRS = NAMES.flatMap((from) => NAMES.map((to) => [from, to] as const));
const formOf = (name: string) => FORMS[name] as Form;

/** The headers that a copy has for its source. */
function ofSource({ key }: Form) {
  if (key === undefined) return {};
  return {
    CopySourceSSECustomerAlgorithm: key.SSECustomerAlgorithm,
    CopySourceSSECustomerKey: key.SSECustomerKey,
    CopySourceSSECustomerKeyMD5: key.SSECustomerKeyMD5,
  };
}

function toldBy(answer: object): Record<string, unknown> {
  const fields = answer as Readonly<Record<string, unknown>>;
  return Object.fromEntries(TOLD.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}

describe('a copy over MinIO', () => {
  const body = payload(200_000, 1);
  let stand: Awaited<ReturnType<typeof standOnMinio>>;
  let client: s3.S3Client;
  let store: s3.S3Client;
  const rings = new Map<string | undefined, string>();

  const put = (Key: string, { asked }: Form, Body = body) =>
    client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...asked }));
  const copy = (from: string, to: string, forms: { readonly from: Form; readonly to: Form }) =>
    client.send(
      new s3.CopyObjectCommand({
        ...{ Bucket, Key: to, CopySource: `${Bucket}/${encodeURIComponent(from)}` },
        ...ofSource(forms.from),
        ...(forms.to.asked as Partial<s3.CopyObjectCommandInput>),
        // A copy onto itself must change something, and where neither form is named this does.
        ...(from === to && { MetadataDirective: 'REPLACE', Metadata: { copied: 'in place' } }),
      }),
    );

  /** What lies in the store: the stored bytes, and the clear fields of the envelope. */
  async function stored(Key: string) {
    const { Body, Metadata = {} } = await store.send(new s3.GetObjectCommand({ Bucket, Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const envelope = Metadata[ENVELOPE_ENTRY.replace('x-amz-meta-', '')] ?? '';
    return { bytes, envelope, head: readEnvelopeHead(decodeEnvelope(envelope)) };
  }

  /** The object is what this form says: as answers tell it, as it is read and by whom, and as it lies in the store. */
  async function expectForm(Key: string, form: Form, content = body): Promise<void> {
    const { key = {}, told } = form;
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key, ...key }));
    expect([toldBy(head), head.ContentLength]).toEqual([told, content.length]);
    expect((await read(client, { Bucket, Key, ...key })).equals(content)).toBe(true);
    for (const other of [formOf('none'), formOf('customer key 1'), formOf('customer key 2')]) {
      if (other.key === form.key) continue;
      const code = other.key !== undefined && form.key !== undefined ? [403, 'AccessDenied'] : [400, 'InvalidRequest'];
      expect(await refusal(read(client, { Bucket, Key, ...other.key }))).toEqual(code);
    }
    const lies = await stored(Key);
    expect(lies.head.keyRingId).toBe(form.key === undefined ? rings.get(form.named) : CUSTOMER_RING);
    expect(lies.bytes.includes(content.subarray(0, 32))).toBe(false);
  }

  beforeAll(async () => {
    stand = await standOnMinio({ more: { customerKeys: { overHttp: 'loopback' } } });
    client = onceClient(stand.gateway);
    store = backendClient(stand.minio);
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    for (const name of ['cards', 'pay/roll']) {
      expect((await stand.gateway.command(['key', 'add', TENANT.name, '--name', name])).code).toBe(0);
    }
    const { stdout } = await stand.gateway.command(['key', 'list', TENANT.name, '--json']);
    for (const { name, keyRing } of JSON.parse(stdout) as { name?: string; keyRing: string }[])
      rings.set(name, keyRing);
  });

  afterAll(async () => {
    client?.destroy();
    store?.destroy();
    await stand?.stop();
  });

  it('can be made when its keys are known', async () => {
    for (const name of NAMES) {
      const written = () => refusal(put(`source ${name}`, formOf(name)));
      await expect.poll(written, { timeout: 20_000 }).toEqual([undefined, 'nothing failed']);
      await expectForm(`source ${name}`, formOf(name));
    }
    expect(rings.size).toBe(3);
    expect(PAIRS).toHaveLength(36);
  });

  it.each(PAIRS)('from %s to %s is what the request says', async (from, to) => {
    const forms = { from: formOf(from), to: formOf(to) };
    const [source, target] = [`source ${from}`, `from ${from} to ${to}`];
    await put(target, formOf('AES256'), Buffer.from('to be replaced'));
    expect(toldBy(await copy(source, target, forms))).toEqual(forms.to.told);
    await expectForm(target, forms.to);
    await expectForm(source, forms.from);
    const [before, after] = [await stored(source), await stored(target)];
    // Between keys of one owner the sealed bytes stay as they are, and have a new envelope.
    const oneOwner = (forms.from.key === undefined) === (forms.to.key === undefined);
    expect(after.bytes.equals(before.bytes)).toBe(oneOwner);
    expect(after.envelope).not.toBe(before.envelope);
  });

  it.each(PAIRS)('from %s to %s can be made in place', async (from, to) => {
    const forms = { from: formOf(from), to: formOf(to) };
    const key = `in place from ${from} to ${to}`;
    await put(key, forms.from);
    const before = await stored(key);
    expect(toldBy(await copy(key, key, forms))).toEqual(forms.to.told);
    await expectForm(key, forms.to);
    const after = await stored(key);
    expect(after.envelope).not.toBe(before.envelope);
    // MinIO's own copies onto themselves would put the metadata on whatever lies there by then. So a small object is
    // sealed and written anew, on the condition that it is still the one that was read.
    expect(after.bytes.equals(before.bytes)).toBe(false);
  });

  it.each([
    ['none', 'KMS key A'],
    ['KMS key A', 'KMS key B'],
    ['KMS key B', 'none'],
    ['customer key 1', 'customer key 2'],
  ])('of a large object from %s to %s in place moves no byte', async (from, to) => {
    const forms = { from: formOf(from), to: formOf(to) };
    const key = `large from ${from} to ${to}`;
    const content = payload(17 * 1024 * 1024, 3);
    await put(key, forms.from, content);
    const before = await stored(key);
    expect(toldBy(await copy(key, key, forms))).toEqual(forms.to.told);
    await expectForm(key, forms.to, content);
    expect((await stored(key)).bytes.equals(before.bytes)).toBe(true);
  });

  it.each(PAIRS)('of a part, from %s to an upload with %s, is as the upload', async (from, to) => {
    const forms = { from: formOf(from), to: formOf(to) };
    const at = { Bucket, Key: `part from ${from} to ${to}` };
    const asked = forms.to.asked as Partial<s3.CreateMultipartUploadCommandInput>;
    const created = await client.send(new s3.CreateMultipartUploadCommand({ ...at, ...asked }));
    const { UploadId } = created;
    const copied = await client.send(
      new s3.UploadPartCopyCommand({
        ...{ ...at, UploadId, PartNumber: 1, CopySource: `${Bucket}/${encodeURIComponent(`source ${from}`)}` },
        ...ofSource(forms.from),
        ...forms.to.key,
      }),
    );
    const Parts = [{ PartNumber: 1, ETag: copied.CopyPartResult?.ETag }];
    const completed = await client.send(
      new s3.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }),
    );
    expect([toldBy(created), toldBy(copied)]).toEqual([forms.to.told, forms.to.told]);
    // The end of an upload under a customer's key brings no key, so its answer repeats no MD5 of one.
    expect(toldBy(completed)).toEqual(forms.to.key === undefined ? forms.to.told : {});
    await expectForm(at.Key, forms.to);
  });
});
