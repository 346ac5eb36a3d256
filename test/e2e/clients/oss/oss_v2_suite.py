"""alibabacloud-oss-v2 through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

Arguments: endpoint, bucket, version of the signature (v1, v4). Credentials come from OSS_ACCESS_KEY_ID and
OSS_ACCESS_KEY_SECRET.
"""

import datetime
import json
import os
import random
import sys
import tempfile
import traceback
import urllib.error
import urllib.request

import alibabacloud_oss_v2 as oss
import requests

ENDPOINT, BUCKET, VERSION = sys.argv[1:4]
KIB = 1024
CASES = []


def connect(key_id=os.environ["OSS_ACCESS_KEY_ID"], secret=os.environ["OSS_ACCESS_KEY_SECRET"], token=None):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(key_id, secret, token)
    config.region = "cn-hangzhou"
    config.endpoint = ENDPOINT
    config.signature_version = VERSION
    config.retry_max_attempts = 1
    return oss.Client(config)


c = connect()


def case(function):
    CASES.append(function)
    return function


def blob(size, seed):
    return random.Random(seed).randbytes(size)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def fails(status, code, call, request, client=c):
    try:
        call(client, request)
    except oss.exceptions.OperationError as error:
        cause = error.unwrap()
        equal((cause.status_code, cause.code), (status, code))
        if cause.request_id == "":
            raise AssertionError("the error has no request id")
        return cause
    raise AssertionError(f"did not fail with {code}")


def put(key, body=b"x", **more):
    return c.put_object(oss.PutObjectRequest(bucket=BUCKET, key=key, body=body, **more))


def get(key, **more):
    return c.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key, **more))


def head(key):
    return c.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=key))


@case
def round_trips():
    for size in (0, 1, 65_535, 65_536, 65_537, 1_000_001):
        sent, key = blob(size, size), f"size/{size}"
        stored = put(key, sent)
        equal((head(key).content_length, head(key).etag), (size, stored.etag))
        equal(get(key).body.content, sent)


@case
def keys():
    for name in ("a b+c!'()*~=&中.txt", "dir/o 1.txt", "per%cent", "?q#h", "ü/ä"):
        put(name, name.encode())
        equal(get(name).body.content, name.encode())
        equal(c.is_object_exist(BUCKET, name), True)
        equal(c.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=name)).status_code, 204)
        equal(c.is_object_exist(BUCKET, name), False)


@case
def metadata():
    put("meta", content_type="text/csv", cache_control="max-age=60", metadata={"one": "1", "two": "b c"})
    told = head("meta")
    equal((told.content_type, told.cache_control, dict(told.metadata)), ("text/csv", "max-age=60", {"one": "1", "two": "b c"}))
    equal((told.storage_class, told.object_type), ("Standard", "Normal"))
    meta = c.get_object_meta(oss.GetObjectMetaRequest(bucket=BUCKET, key="meta"))
    equal((meta.content_length, meta.etag), (1, told.etag))


@case
def ranges():
    sent = blob(200_001, 1)
    put("range", sent)
    equal(get("range", range_header="bytes=65530-65545").body.content, sent[65530:65546])
    equal(get("range", range_header="bytes=100-300000").body.content, sent)
    cut = get("range", range_header="bytes=100-300000", range_behavior="standard")
    equal((cut.status_code, cut.body.content), (206, sent[100:]))


@case
def lists():
    names = ["list/a/1", "list/b b/1", "list/c", "list/d+e"]
    for name in names:
        put(name, b"12345")
    paged = c.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=BUCKET, prefix="list/", max_keys=3))
    equal([o.key for page in paged for o in page.contents or []], names)
    page = c.list_objects(oss.ListObjectsRequest(bucket=BUCKET, prefix="list/", delimiter="/"))
    equal([p.prefix for p in page.common_prefixes], ["list/a/", "list/b b/"])
    equal([(o.key, o.size, o.object_type) for o in page.contents], [("list/c", 5, "Normal"), ("list/d+e", 5, "Normal")])
    versions = c.list_object_versions(oss.ListObjectVersionsRequest(bucket=BUCKET, prefix="list/"))
    equal([v.key for v in versions.version], names)


@case
def deletes_many():
    put("many/1")
    objects = [oss.DeleteObject(key=key) for key in ("many/1", "many/2 +中")]
    done = c.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=BUCKET, objects=objects))
    equal(sorted(each.key for each in done.deleted_objects), ["many/1", "many/2 +中"])


@case
def copies():
    sent = blob(200_000, 2)
    put("copy/ü +", sent, metadata={"a": "b"})
    copied = c.copy_object(oss.CopyObjectRequest(bucket=BUCKET, key="copied", source_bucket=BUCKET, source_key="copy/ü +"))
    equal((head("copied").etag, dict(head("copied").metadata)), (copied.etag, {"a": "b"}))
    copier = c.copier().copy(oss.CopyObjectRequest(bucket=BUCKET, key="copied-2", source_bucket=BUCKET, source_key="copied"))
    equal(copier.status_code, 200)
    equal(get("copied-2").body.content, sent)


@case
def uploads_in_parts():
    sent = blob(350 * KIB, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(sent)
        uploader = c.uploader(part_size=100 * KIB, parallel_num=2)
        done = uploader.upload_file(oss.PutObjectRequest(bucket=BUCKET, key="parts"), path)
        equal(head("parts").etag, done.etag)
        back = os.path.join(folder, "back")
        c.downloader(part_size=100 * KIB).download_file(oss.GetObjectRequest(bucket=BUCKET, key="parts"), back)
        with open(back, "rb") as file:
            equal(file.read(), sent)
    started = c.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=BUCKET, key="ü hand"))
    where = {"bucket": BUCKET, "key": "ü hand", "upload_id": started.upload_id}
    part = c.upload_part(oss.UploadPartRequest(part_number=1, body=sent, **where))
    listed = c.list_parts(oss.ListPartsRequest(**where))
    equal([(p.part_number, p.etag, p.size) for p in listed.parts], [(1, part.etag, len(sent))])
    uploads = c.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=BUCKET, prefix="ü hand"))
    equal([(u.key, u.upload_id) for u in uploads.uploads], [("ü hand", started.upload_id)])
    parts = oss.CompleteMultipartUpload(parts=[oss.UploadPart(part_number=1, etag=part.etag)])
    equal(c.complete_multipart_upload(oss.CompleteMultipartUploadRequest(complete_multipart_upload=parts, **where)).key, "ü hand")
    equal(get("ü hand").body.content, sent)


@case
def encryption():
    equal(put("sse", server_side_encryption="AES256").headers["x-oss-server-side-encryption"], "AES256")
    stored = put("kms", server_side_encryption="KMS")
    told, key_id = head("kms"), stored.headers["x-oss-server-side-encryption-key-id"]
    equal((told.server_side_encryption, told.server_side_encryption_key_id), ("KMS", key_id))
    refused = oss.PutObjectRequest(bucket=BUCKET, key="no", body=b"x", server_side_encryption="SM4")
    equal(fails(400, "InvalidEncryptionAlgorithmError", oss.Client.put_object, refused).ec, "0005-00000003")
    ask = oss.GetObjectRequest(bucket=BUCKET, key="sse", headers={"x-oss-server-side-encryption": "AES256"})
    equal(fails(400, "InvalidArgument", oss.Client.get_object, ask).ec, "0005-00000002")


@case
def signed_urls():
    put("signed ü+", b"by a URL")
    url = c.presign(oss.GetObjectRequest(bucket=BUCKET, key="signed ü+"), expires=datetime.timedelta(seconds=60)).url
    with urllib.request.urlopen(url) as answer:
        equal(answer.read(), b"by a URL")
    write = c.presign(oss.PutObjectRequest(bucket=BUCKET, key="signed-put"), expires=datetime.timedelta(seconds=60))
    equal(requests.put(write.url, data=b"put", headers=write.signed_headers, timeout=30).status_code, 200)
    equal(get("signed-put").body.content, b"put")
    try:
        urllib.request.urlopen(url.replace("signed", "forged"))
        raise AssertionError("a forged URL was served")
    except urllib.error.HTTPError as error:
        equal(error.code, 403)


@case
def buckets():
    other = f"{BUCKET}-second"
    equal(c.is_bucket_exist(other), False)
    c.put_bucket(oss.PutBucketRequest(bucket=other))
    equal(c.is_bucket_exist(other), True)
    info = c.get_bucket_info(oss.GetBucketInfoRequest(bucket=other)).bucket_info
    equal((info.name, info.acl), (other, "private"))
    equal(c.get_bucket_location(oss.GetBucketLocationRequest(bucket=other)).location, info.location)
    pages = c.list_buckets_paginator(limit=1).iter_page(oss.ListBucketsRequest(prefix=BUCKET))
    equal([b.name for page in pages for b in page.buckets], [BUCKET, other])
    equal(c.delete_bucket(oss.DeleteBucketRequest(bucket=other)).status_code, 204)


@case
def errors():
    absent = {"bucket": BUCKET, "key": "absent"}
    equal(fails(404, "NoSuchKey", oss.Client.get_object, oss.GetObjectRequest(**absent)).ec, "0026-00000001")
    equal(fails(404, "NoSuchKey", oss.Client.head_object, oss.HeadObjectRequest(**absent)).ec, "0026-00000001")
    ask = oss.GetObjectRequest(**absent)
    fails(403, "SignatureDoesNotMatch", oss.Client.get_object, ask, connect(secret="wrong"))
    fails(403, "InvalidAccessKeyId", oss.Client.get_object, ask, connect(key_id="AKIDNOBODY"))
    if VERSION == "v4":
        fails(403, "InvalidSecurityToken", oss.Client.get_object, ask, connect(token="token"))
    fails(501, "NotImplemented", oss.Client.get_bucket_stat, oss.GetBucketStatRequest(bucket=BUCKET))


if __name__ == "__main__":
    c.put_bucket(oss.PutBucketRequest(bucket=BUCKET))
    for run in CASES:
        try:
            run()
            print(json.dumps({"case": run.__name__, "ok": True}), flush=True)
        except Exception:  # whatever it was belongs to this case
            print(json.dumps({"case": run.__name__, "ok": False, "error": traceback.format_exc()}), flush=True)
