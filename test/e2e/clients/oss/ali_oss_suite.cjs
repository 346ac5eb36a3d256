// ali-oss through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.
//
// Arguments: the folder that has the package, the gateway's port, bucket, version of the signature (v1, v4), and how the
// bucket is addressed (path, host). Credentials come from OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { Readable } = require('node:stream');

const [folder, port, BUCKET, version, addressing] = process.argv.slice(2);
const OSS = createRequire(join(folder, 'package.json'))('ali-oss');
const KIB = 1024;
const cases = [];

function connect(over = {}) {
  // With an IP address as its endpoint the SDK sends the Host that the bucket has at OSS itself.
  const where =
    addressing === 'path'
      ? { endpoint: `http://localhost:${port}`, sldEnable: true }
      : { endpoint: `http://127.0.0.1:${port}` };
  return new OSS({
    ...where,
    region: 'oss-cn-hangzhou',
    authorizationV4: version === 'v4',
    accessKeyId: process.env.OSS_ACCESS_KEY_ID,
    accessKeySecret: process.env.OSS_ACCESS_KEY_SECRET,
    bucket: BUCKET,
    ...over,
  });
}

const client = connect();

function test(name, run) {
  cases.push([name, run]);
}

function blob(size, seed) {
  const piece = createHash('sha512').update(String(seed)).digest();
  return Buffer.concat(Array(Math.ceil(size / piece.length)).fill(piece)).subarray(0, size);
}

async function fails(status, code, promise) {
  const thrown = await promise.then(
    () => undefined,
    (error) => error,
  );
  assert.ok(thrown, `did not fail with ${code}`);
  assert.deepEqual([thrown.status, thrown.code], [status, code]);
  return thrown;
}

test('round trips', async () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_001]) {
    const sent = blob(size, size);
    const stored = await client.put(`size/${size}`, sent);
    const read = await client.get(`size/${size}`);
    assert.ok(read.content.equals(sent));
    const head = await client.head(`size/${size}`);
    assert.equal(head.res.headers.etag, stored.res.headers.etag);
    assert.equal(head.res.headers['content-length'], String(size));
  }
});

test('streams', async () => {
  const sent = blob(300_000, 1);
  await client.putStream('stream', Readable.from([sent]));
  const { stream } = await client.getStream('stream');
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  assert.ok(Buffer.concat(pieces).equals(sent));
  await client.putStream('stream-known', Readable.from([sent]), { contentLength: sent.length });
  assert.ok((await client.get('stream-known')).content.equals(sent));
});

test('keys', async () => {
  for (const name of ["dir/a b+c!'()*~=&中.txt", 'per%cent', '?q#h', 'ü/ä', 'x.html']) {
    await client.put(name, Buffer.from(name));
    assert.equal((await client.get(name)).content.toString(), name);
    await client.delete(name);
    await fails(404, 'NoSuchKey', client.get(name));
  }
});

test('metadata and headers', async () => {
  await client.put('meta', Buffer.from('x'), {
    mime: 'text/csv',
    meta: { one: '1', two: 'b c' },
    headers: { 'Cache-Control': 'max-age=60', 'Content-Disposition': 'attachment' },
  });
  const { meta, res } = await client.head('meta');
  assert.deepEqual({ ...meta }, { one: '1', two: 'b c' });
  assert.equal(res.headers['content-type'], 'text/csv');
  assert.equal(res.headers['cache-control'], 'max-age=60');
  await client.putMeta('meta', { three: '3' });
  assert.deepEqual({ ...(await client.head('meta')).meta }, { three: '3' });
  assert.equal((await client.getObjectMeta('meta')).res.headers['content-length'], '1');
});

test('ranges', async () => {
  const sent = blob(1000, 2);
  await client.put('range', sent);
  const some = await client.get('range', { headers: { Range: 'bytes=10-19' } });
  assert.deepEqual([some.res.status, some.content.equals(sent.subarray(10, 20))], [206, true]);
  const beyond = await client.get('range', { headers: { Range: 'bytes=10-2000' } });
  assert.deepEqual([beyond.res.status, beyond.content.equals(sent)], [200, true]);
});

test('lists', async () => {
  for (const name of ['list/a/1', 'list/b b/1', 'list/c', 'list/d+e']) await client.put(name, Buffer.from('12345'));
  const page = await client.list({ prefix: 'list/', delimiter: '/', 'max-keys': 2 });
  assert.deepEqual([page.prefixes, page.objects ?? [], page.isTruncated], [['list/a/', 'list/b b/'], [], true]);
  const rest = await client.list({ prefix: 'list/', delimiter: '/', marker: page.nextMarker, 'max-keys': 100 });
  assert.deepEqual(
    rest.objects.map(({ name, size, type }) => [name, size, type]),
    [
      ['list/c', 5, 'Normal'],
      ['list/d+e', 5, 'Normal'],
    ],
  );
  assert.ok(rest.objects[0].owner.id !== '');
  const all = await client.list({ prefix: 'list/', delimiter: '', marker: '' });
  assert.equal(all.objects.length, 4);
  let token;
  const names = [];
  do {
    const v2 = await client.listV2({ prefix: 'list/', 'max-keys': 3, 'continuation-token': token });
    names.push(...v2.objects.map(({ name }) => name));
    token = v2.nextContinuationToken;
  } while (token);
  assert.deepEqual(names, ['list/a/1', 'list/b b/1', 'list/c', 'list/d+e']);
});

test('deletes many', async () => {
  await client.put('many/1', Buffer.from('x'));
  const { deleted } = await client.deleteMulti(['many/1', 'many/2']);
  assert.deepEqual(deleted.map(({ Key }) => Key).sort(), ['many/1', 'many/2']);
  assert.deepEqual((await client.list({ prefix: 'many/' })).objects ?? [], []);
});

test('copies, and their headers twice', async () => {
  const sent = blob(200_000, 3);
  const { res } = await client.put('copy/ü +', sent, { meta: { a: 'b' } });
  const copied = await client.copy('copied', 'copy/ü +');
  assert.equal(copied.res.headers.etag, res.headers.etag.length === 0 ? '' : copied.data.etag);
  assert.deepEqual({ ...(await client.head('copied')).meta }, { a: 'b' });
  await client.copy('copied', 'copy/ü +', { meta: { c: 'd' }, headers: { 'Content-Type': 'text/html' } });
  const head = await client.head('copied');
  assert.deepEqual([{ ...head.meta }, head.res.headers['content-type']], [{ c: 'd' }, 'text/html']);
  await client.copy('copied', 'copy/ü +', { headers: { 'x-oss-server-side-encryption': 'AES256' } });
  assert.ok((await client.get('copied')).content.equals(sent));
  await fails(404, 'NoSuchKey', client.copy('no', 'absent'));
});

test('uploads in parts', async () => {
  const home = mkdtempSync(join(tmpdir(), 'ali-oss-'));
  const sent = blob(100 * KIB * 3 + 7, 4);
  writeFileSync(join(home, 'file'), sent);
  try {
    const done = await client.multipartUpload('parts', join(home, 'file'), { partSize: 100 * KIB, parallel: 2 });
    assert.equal((await client.head('parts')).res.headers.etag, done.etag);
    assert.ok((await client.get('parts')).content.equals(sent));
    const { uploadId } = await client.initMultipartUpload('by-hand');
    const part = await client.uploadPart('by-hand', uploadId, 1, join(home, 'file'), 0, 100 * KIB);
    const { parts } = await client.listParts('by-hand', uploadId);
    assert.deepEqual([parts.ETag ?? parts[0].ETag], [part.etag]);
    const { uploads } = await client.listUploads({ prefix: 'by-hand', 'max-uploads': 10 });
    assert.deepEqual(
      uploads.map((each) => each.uploadId),
      [uploadId],
    );
    await client.abortMultipartUpload('by-hand', uploadId);
    await fails(404, 'NoSuchUpload', client.listParts('by-hand', uploadId));
    const copy = await client.multipartUploadCopy(
      'parts-copied',
      { sourceKey: 'parts', sourceBucketName: BUCKET },
      { partSize: 100 * KIB },
    );
    assert.equal(copy.res.status, 200);
    assert.ok((await client.get('parts-copied')).content.equals(sent));
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('encryption', async () => {
  const told = 'x-oss-server-side-encryption';
  const managed = await client.put('sse', Buffer.from('x'), { headers: { [told]: 'AES256' } });
  assert.equal(managed.res.headers[told], 'AES256');
  const kms = await client.put('kms', Buffer.from('x'), { headers: { [told]: 'KMS' } });
  assert.equal(kms.res.headers[told], 'KMS');
  assert.ok((await client.head('kms')).res.headers[`${told}-key-id`]);
  await fails(
    400,
    'InvalidEncryptionAlgorithmError',
    client.put('no', Buffer.from('x'), { headers: { [told]: 'SM4' } }),
  );
  await fails(400, 'InvalidArgument', client.get('sse', { headers: { [told]: 'AES256' } }));
  await client.putBucketEncryption(BUCKET, { SSEAlgorithm: 'KMS' });
  assert.equal((await client.getBucketEncryption(BUCKET)).encryption.SSEAlgorithm, 'KMS');
  await client.deleteBucketEncryption(BUCKET);
});

test('signed URLs', async () => {
  // The SDK signs no URL for an IP address.
  const signing = connect({ endpoint: `http://localhost:${port}`, sldEnable: true });
  await client.put('signed', Buffer.from('by a URL'));
  const sign = (method, name, query) =>
    version === 'v4'
      ? signing.signatureUrlV4(method, 60, { queries: query }, name)
      : Promise.resolve(
          signing.signatureUrl(name, { method, expires: 60, response: query && { 'content-type': 'text/x' } }),
        );
  const url = await sign('GET', 'signed', version === 'v4' ? { 'response-content-type': 'text/x' } : {});
  const read = await fetch(url);
  assert.deepEqual([read.status, await read.text(), read.headers.get('content-type')], [200, 'by a URL', 'text/x']);
  const put = await fetch(await sign('PUT', 'signed-put'), { method: 'PUT', body: Buffer.from('put') });
  assert.equal(put.status, 200);
  assert.equal((await client.get('signed-put')).content.toString(), 'put');
  assert.equal((await fetch(url.replace('text%2Fx', 'text%2Fy'))).status, 403);
});

test('buckets', async () => {
  const service = connect({ endpoint: `http://localhost:${port}`, sldEnable: true, bucket: undefined });
  const { buckets } = await service.listBuckets({ prefix: BUCKET });
  assert.deepEqual(
    buckets.map(({ name }) => name),
    [BUCKET],
  );
  const info = await service.getBucketInfo(BUCKET);
  assert.equal(info.bucket.Name, BUCKET);
  assert.match((await service.getBucketLocation(BUCKET)).location, /^oss-/);
  assert.equal((await service.getBucketACL(BUCKET)).acl, 'private');
  const other = `${BUCKET}-second`;
  await service.putBucket(other);
  await service.deleteBucket(other);
  await fails(404, 'NoSuchBucket', service.getBucketInfo(other));
});

test('errors', async () => {
  await fails(404, 'NoSuchKey', client.get('absent'));
  await fails(404, 'NoSuchKey', client.head('absent'));
  await fails(403, 'SignatureDoesNotMatch', connect({ accessKeySecret: 'wrong' }).get('absent'));
  await fails(403, 'InvalidAccessKeyId', connect({ accessKeyId: 'AKIDNOBODY' }).get('absent'));
  await fails(403, 'InvalidSecurityToken', connect({ stsToken: 'token' }).get('absent'));
  await fails(501, 'NotImplemented', client.append('append', Buffer.from('x')));
  await fails(501, 'NotImplemented', client.getBucketLifecycle(BUCKET));
});

async function main() {
  await connect({ endpoint: `http://localhost:${port}`, sldEnable: true }).putBucket(BUCKET);
  for (const [name, run] of cases) {
    try {
      await run();
      console.log(JSON.stringify({ case: name, ok: true }));
    } catch (error) {
      console.log(JSON.stringify({ case: name, ok: false, error: String(error.stack) }));
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
