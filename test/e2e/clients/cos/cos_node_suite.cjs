// cos-nodejs-sdk-v5 through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.
//
// Arguments: host:port of the gateway, bucket, way (ip: hosts of COS's own; path: the bucket on the path; host: the bucket
// under localhost). Credentials come from SECRET_ID and SECRET_KEY.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const dns = require('node:dns');
const http = require('node:http');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const COS = require('cos-nodejs-sdk-v5');

const [gateway, Bucket, way] = process.argv.slice(2);
const [host, port] = gateway.split(':');
const Region = 'ap-guangzhou';
const MIB = 1024 * 1024;
const cases = [];
const test = (name, run) => cases.push({ name, run });

// Names under localhost are this machine's (RFC 6761), and not every resolver knows.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);

const WAYS = {
  ip: { Ip: gateway },
  path: { Domain: `${gateway}/{Bucket}` },
  host: { Domain: `{Bucket}.localhost:${port}` },
};

function connect(more = {}) {
  return new COS({
    SecretId: process.env.SECRET_ID,
    SecretKey: process.env.SECRET_KEY,
    Protocol: 'http:',
    ServiceDomain: gateway,
    ...WAYS[way],
    ...more,
  });
}

const cos = connect();
const at = (Key) => ({ Bucket, Region, Key });
const put = (Key, Body, more = {}) => cos.putObject({ ...at(Key), Body, ...more });
const read = async (Key, more = {}) => (await cos.getObject({ ...at(Key), ...more })).Body;

/** Bytes that no two calls share. */
function blob(bytes, seed) {
  const block = createHash('sha512').update(String(seed)).digest();
  return Buffer.concat(Array(Math.ceil(bytes / 64)).fill(block)).subarray(0, bytes);
}

async function fails(status, code, run) {
  try {
    await run();
  } catch (error) {
    assert.deepEqual([error.statusCode, error.code], [status, code]);
    assert.ok(error.headers?.['x-cos-request-id'], 'the error has no request id');
    return error;
  }
  throw new Error(`did not fail with ${code}`);
}

/** Asks the gateway for a URL whose host does not resolve. */
function send(method, url, { headers = {}, body } = {}) {
  const { host: name, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = http.request(
      { host, port, method, path: pathname + search, headers: { Host: name, ...headers } },
      (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asked.on('error', reject).end(body);
  });
}

const customer = (fill) => ({
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: Buffer.alloc(32, fill).toString('base64'),
  SSECustomerKeyMD5: createHash('md5').update(Buffer.alloc(32, fill)).digest('base64'),
});

test('round trips', async () => {
  for (const bytes of [0, 1, 65_535, 65_536, 65_537, 3 * MIB + 1]) {
    const sent = blob(bytes, bytes);
    const stored = await put(`size/${bytes}`, sent);
    const head = await cos.headObject(at(`size/${bytes}`));
    assert.deepEqual([head.headers['content-length'], head.ETag], [String(bytes), stored.ETag]);
    assert.match(head.headers['x-cos-hash-crc64ecma'], /^\d+$/);
    assert.equal(stored.headers['x-cos-hash-crc64ecma'], head.headers['x-cos-hash-crc64ecma']);
    assert.ok(sent.equals(await read(`size/${bytes}`)));
  }
});

test('keys', async () => {
  const names = ["a b+c!'()*~=&中.txt", 'dir/o 1.txt', '~x', 'per%cent', '?q#h', 'ü/ä'];
  for (const name of names) {
    await put(name, name);
    assert.equal((await read(name)).toString(), name);
  }
  await fails(400, 'KeyTooLong', () => put('x'.repeat(851), 'x'));
  // Stores that keep keys as paths of files have no such key, and nothing else is made of it.
  await fails(400, 'InvalidObjectName', () => put('a//b', 'x'));
  const { Contents } = await cos.getBucket({ Bucket, Region });
  const listed = Contents.map(({ Key }) => Key);
  assert.deepEqual(
    names.filter((name) => !listed.includes(name)),
    [],
  );
  for (const name of names) assert.equal((await cos.deleteObject(at(name))).statusCode, 204);
});

test('metadata and overrides', async () => {
  const content = { ContentType: 'text/csv', CacheControl: 'max-age=60', ContentDisposition: 'inline' };
  await put('meta', 'x', { ...content, Headers: { 'x-cos-meta-owner': 'somebody' } });
  const { headers } = await cos.headObject(at('meta'));
  const names = ['content-type', 'cache-control', 'content-disposition', 'x-cos-meta-owner'];
  assert.deepEqual(
    names.map((name) => headers[name]),
    ['text/csv', 'max-age=60', 'inline', 'somebody'],
  );
  const got = await cos.getObject({ ...at('meta'), ResponseContentType: 'text/html', Query: {} });
  assert.equal(got.headers['content-type'], 'text/html');
});

test('ranges and conditions', async () => {
  const sent = blob(200_000, 7);
  const { ETag } = await put('range', sent);
  assert.ok(sent.subarray(65_530, 65_546).equals(await read('range', { Range: 'bytes=65530-65545' })));
  await fails(416, 'InvalidRange', () => read('range', { Range: 'bytes=200000-' }));
  assert.ok(sent.equals(await read('range', { IfMatch: ETag })));
  await fails(412, 'PreconditionFailed', () => read('range', { IfMatch: '"other"' }));
  const same = await cos.headObject({ ...at('range'), IfNoneMatch: ETag }).catch((error) => error);
  assert.equal(same.statusCode, 304);
});

test('errors', async () => {
  await fails(404, 'NoSuchKey', () => read('absent'));
  await fails(404, '404', () => cos.headObject(at('absent')));
  const sent = { ...at('k'), Body: 'x' };
  await fails(403, 'SignatureDoesNotMatch', () => connect({ SecretKey: 'another' }).putObject(sent));
  await fails(403, 'InvalidAccessKeyId', () => connect({ SecretId: 'AKIDNOBODY' }).putObject(sent));
  await fails(403, 'AccessDenied', () => connect({ SecurityToken: 'token' }).putObject(sent));
  await fails(400, 'BadDigest', () => put('k', 'x', { ContentMD5: 'XUFAKrxLKna5cZ2REBfFkg==' }));
  await fails(501, 'NotImplemented', () => cos.appendObject({ ...at('a'), Body: 'x', Position: 0 }));
  await fails(501, 'NotImplemented', () =>
    cos.getBucketLifecycle({ Bucket, Region }).then((told) => {
      throw Object.assign(new Error('none'), told);
    }),
  );
});

test('a clock that is wrong is set by the answer', async () => {
  await put('clock', 'x');
  const late = connect();
  late.options.SystemClockOffset = 3 * 3600 * 1000;
  assert.equal((await late.getObject(at('clock'))).Body.toString(), 'x');
  assert.ok(Math.abs(late.options.SystemClockOffset) < 60_000);
});

test('lists', async () => {
  for (const name of ['a/1', 'a/2', 'b c/1', 'c', 'd']) await put(`list/${name}`, '0123456789');
  const asked = { Bucket, Region, Prefix: 'list/', Delimiter: '/' };
  const page = await cos.getBucket({ ...asked, MaxKeys: 2 });
  assert.deepEqual(
    page.CommonPrefixes.map(({ Prefix }) => Prefix),
    ['list/a/', 'list/b c/'],
  );
  assert.deepEqual([page.IsTruncated, page.Contents, page.Name], ['true', [], Bucket]);
  const rest = await cos.getBucket({ ...asked, Marker: page.NextMarker });
  assert.deepEqual(
    rest.Contents.map(({ Key, Size }) => [Key, Size]),
    [
      ['list/c', '10'],
      ['list/d', '10'],
    ],
  );
  const folder = await cos.getBucket({ ...asked, Prefix: 'list/b c/' });
  assert.deepEqual(
    folder.Contents.map(({ Key }) => Key),
    ['list/b c/1'],
  );
  const { Versions } = await cos.listObjectVersions({ Bucket, Region, Prefix: 'list/a/' });
  assert.deepEqual(
    Versions.map(({ Key, IsLatest }) => [Key, IsLatest]),
    [
      ['list/a/1', 'true'],
      ['list/a/2', 'true'],
    ],
  );
});

test('deletes many', async () => {
  for (const name of ['1', '2 +', 'ü&<']) await put(`many/${name}`, 'x');
  const Objects = ['1', '2 +', 'ü&<', 'none'].map((name) => ({ Key: `many/${name}` }));
  const { Deleted } = await cos.deleteMultipleObject({ Bucket, Region, Objects });
  assert.deepEqual(Deleted.map(({ Key }) => Key).sort(), Objects.map(({ Key }) => Key).sort());
  assert.deepEqual((await cos.getBucket({ Bucket, Region, Prefix: 'many/' })).Contents, []);
});

const source = (key) => `${Bucket}.cos.${Region}.myqcloud.com/${encodeURIComponent(key)}`;

test('copies', async () => {
  const sent = blob(70_000, 9);
  await put('from/中 a+b', sent, { ContentType: 'text/plain', Headers: { 'x-cos-meta-one': '1' } });
  const copied = await cos.putObjectCopy({ ...at('to/1'), CopySource: source('from/中 a+b') });
  const head = await cos.headObject(at('to/1'));
  assert.deepEqual([head.ETag, head.headers['x-cos-meta-one']], [copied.ETag, '1']);
  assert.equal(copied.CRC64, head.headers['x-cos-hash-crc64ecma']);
  assert.ok(sent.equals(await read('to/1')));
  const replaced = { CopySource: source('to/1'), MetadataDirective: 'Replaced', ContentType: 'text/html' };
  await cos.putObjectCopy({ ...at('to/2'), ...replaced });
  assert.equal((await cos.headObject(at('to/2'))).headers['content-type'], 'text/html');
  await fails(412, 'PreconditionFailed', () =>
    cos.putObjectCopy({ ...at('to/3'), CopySource: source('to/1'), CopySourceIfMatch: '"other"' }),
  );
  await fails(404, 'NoSuchKey', () => cos.putObjectCopy({ ...at('to/3'), CopySource: source('absent') }));
});

test('uploads in parts', async () => {
  const sent = blob(3 * MIB + 5, 11);
  const { UploadId } = await cos.multipartInit(at('parts/中 1'));
  const Parts = [];
  for (let number = 1; number <= 4; number++) {
    const Body = sent.subarray((number - 1) * MIB, number * MIB);
    const { ETag, headers } = await cos.multipartUpload({ ...at('parts/中 1'), UploadId, PartNumber: number, Body });
    assert.match(headers['x-cos-hash-crc64ecma'], /^\d+$/);
    Parts.push({ PartNumber: number, ETag });
  }
  const listed = await cos.multipartListPart({ ...at('parts/中 1'), UploadId });
  assert.deepEqual(
    listed.Part.map(({ PartNumber, Size }) => [PartNumber, Size]),
    [
      ['1', String(MIB)],
      ['2', String(MIB)],
      ['3', String(MIB)],
      ['4', '5'],
    ],
  );
  const uploads = await cos.multipartList({ Bucket, Region, Prefix: 'parts/中 1' });
  assert.deepEqual(
    uploads.Upload.map((upload) => upload.UploadId),
    [UploadId],
  );
  const done = await cos.multipartComplete({ ...at('parts/中 1'), UploadId, Parts });
  const head = await cos.headObject(at('parts/中 1'));
  assert.deepEqual([done.ETag, done.Bucket, done.Key], [head.ETag, Bucket, 'parts/中 1']);
  assert.equal(done.headers['x-cos-hash-crc64ecma'], head.headers['x-cos-hash-crc64ecma']);
  assert.ok(sent.equals(await read('parts/中 1')));
  await fails(404, 'NoSuchUpload', () => cos.multipartListPart({ ...at('parts/中 1'), UploadId }));
  const aborted = await cos.multipartInit(at('aborted'));
  assert.equal((await cos.multipartAbort({ ...at('aborted'), UploadId: aborted.UploadId })).statusCode, 204);
});

test('helpers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cos-node-'));
  try {
    const sent = blob(4 * MIB + 3, 17);
    const [FilePath, back] = [join(folder, 'up'), join(folder, 'down')];
    writeFileSync(FilePath, sent);
    const sse = { ServerSideEncryption: 'AES256' };
    await cos.uploadFile({ ...at('helper/file'), FilePath, SliceSize: MIB, ...sse });
    assert.ok(sent.equals(await read('helper/file')));
    await cos.sliceUploadFile({ ...at('helper/slices'), FilePath, ChunkSize: MIB, ...sse });
    assert.ok(sent.equals(await read('helper/slices')));
    await cos.downloadFile({ ...at('helper/file'), FilePath: back, ChunkSize: MIB });
    assert.ok(sent.equals(readFileSync(back)));
    await cos.sliceCopyFile({
      ...at('helper/copy'),
      CopySource: source('helper/file'),
      CopySliceSize: MIB,
      CopyChunkSize: MIB,
    });
    assert.ok(sent.equals(await read('helper/copy')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('encryption', async () => {
  const METHOD = 'x-cos-server-side-encryption';
  await put('sse/cos', 'x', { ServerSideEncryption: 'AES256' });
  assert.equal((await cos.headObject(at('sse/cos'))).headers[METHOD], 'AES256');
  await put('sse/kms', 'x', { ServerSideEncryption: 'cos/kms', SSEKMSKeyId: 'orders' });
  const { headers } = await cos.headObject(at('sse/kms'));
  assert.deepEqual([headers[METHOD], headers[`${METHOD}-cos-kms-key-id`]], ['cos/kms', 'orders']);
  await fails(400, 'KmsKeyNotExist', () =>
    put('sse/none', 'x', { ServerSideEncryption: 'cos/kms', SSEKMSKeyId: 'absent' }),
  );
  await put('ssec', 'x', customer(1));
  assert.equal((await read('ssec', customer(1))).toString(), 'x');
  await fails(400, 'SsecDecryptHeaderInvalid', () => read('ssec'));
  await fails(400, 'SsecDecryptHeaderInvalid', () => read('ssec', customer(2)));
});

test('URLs', async () => {
  await put('signed/o 1', 'x');
  const url = cos.getObjectUrl(at('signed/o 1'));
  assert.deepEqual([(await send('GET', url)).status, (await send('GET', url)).body], [200, 'x']);
  assert.equal((await send('GET', `${url}&response-content-type=text%2Fhtml`)).headers['content-type'], 'text/html');
  assert.equal((await send('GET', `${url}&acl`)).status, 403);
  assert.equal((await send('DELETE', url)).status, 403);
  const asked = { ...at('signed/o 1'), Query: { 'response-content-type': 'text/css' } };
  const signed = await new Promise((resolve, reject) => {
    cos.getObjectUrl(asked, (error, told) => (error ? reject(error) : resolve(told.Url)));
  });
  assert.equal((await send('GET', signed)).headers['content-type'], 'text/css');
  const write = cos.getObjectUrl({ ...at('signed/put'), Method: 'PUT' });
  assert.equal((await send('PUT', write, { body: 'by url' })).status, 200);
  assert.equal((await read('signed/put')).toString(), 'by url');
  const copying = { 'x-cos-copy-source': source('signed/o 1') };
  assert.equal((await send('PUT', write, { headers: copying })).status, 403);
  assert.equal((await send('GET', cos.getObjectUrl({ ...at('signed/o 1'), Sign: false }))).status, 403);
});

test('buckets', async () => {
  const { Buckets } = await cos.getService();
  assert.ok(Buckets.some(({ Name }) => Name === Bucket));
  assert.equal((await cos.headBucket({ Bucket, Region })).headers['x-cos-bucket-region'], 'us-east-1');
  assert.equal((await cos.getBucketAcl({ Bucket, Region })).ACL, 'private');
  await fails(409, 'BucketAlreadyOwnedByYou', () => cos.putBucket({ Bucket, Region }));
  await fails(409, 'BucketNotEmpty', () => cos.deleteBucket({ Bucket, Region }));
  const other = { Bucket: `acme-node-${way}-1250000000`, Region };
  await cos.putBucket(other);
  await cos.deleteBucket(other);
  await fails(404, 'NoSuchBucket', () => cos.getBucket(other));
  await fails(403, 'AccessDenied', () => cos.getBucket({ Bucket: 'of-another-tenant-1250000000', Region }));
});

void (async () => {
  await cos.putBucket({ Bucket, Region }).catch((error) => {
    if (error.code !== 'BucketAlreadyOwnedByYou') throw error;
  });
  const chosen = process.argv.slice(5);
  for (const { name, run } of cases) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    try {
      await run();
      console.log(JSON.stringify({ case: name, ok: true }));
    } catch (error) {
      const told = String(error?.stack ?? JSON.stringify(error)).slice(0, 900);
      console.log(JSON.stringify({ case: name, ok: false, error: told, said: error?.error ?? undefined }));
    }
  }
})();
