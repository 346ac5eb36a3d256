"""oss2 through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

Arguments: endpoint, bucket, version of the signature (v1, v2, v4). Credentials come from OSS_ACCESS_KEY_ID and
OSS_ACCESS_KEY_SECRET.
"""

import base64
import hashlib
import json
import os
import random
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

import oss2
from oss2.models import PartInfo, ServerSideEncryptionRule
from oss2.utils import Crc64

ENDPOINT, BUCKET, VERSION = sys.argv[1:4]
ID, SECRET = os.environ["OSS_ACCESS_KEY_ID"], os.environ["OSS_ACCESS_KEY_SECRET"]
KIB, MIB = 1024, 1024 * 1024
CASES = []
LONGEST = ("x" * 203 + "/") * 5 + "end"


def auth(key_id=ID, secret=SECRET):
    return {"v1": oss2.Auth, "v2": oss2.AuthV2, "v4": oss2.AuthV4}[VERSION](key_id, secret)


def connect(bucket=BUCKET, **credentials):
    return oss2.Bucket(auth(**credentials), ENDPOINT, bucket, region="cn-hangzhou", enable_crc=True)


b = connect()


def case(function):
    CASES.append(function)
    return function


def blob(size, seed):
    return random.Random(seed).randbytes(size)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def fails(status, code, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except oss2.exceptions.OssError as error:
        equal((error.status, error.code), (status, code))
        if error.request_id == "":
            raise AssertionError("the error has no request id")
        return error
    raise AssertionError(f"did not fail with {code}")


@case
def round_trips():
    for size in (0, 1, 65_535, 65_536, 65_537, 3 * MIB + 1):
        sent, key = blob(size, size), f"size/{size}"
        stored = b.put_object(key, sent)
        head = b.head_object(key)
        equal((head.content_length, head.etag, head.object_type), (size, stored.etag, "Normal"))
        crc = Crc64()
        crc.update(sent)
        equal((stored.crc, int(head.headers["x-oss-hash-crc64ecma"])), (crc.crc, crc.crc))
        equal(hashlib.sha256(b.get_object(key).read()).digest(), hashlib.sha256(sent).digest())
        if stored.request_id == "":
            raise AssertionError("no request id")


@case
def keys():
    names = ["a b+c!'()*~=&中.txt", "dir/o 1.txt", "~x", "per%cent", "?q#h", "ü/ä", LONGEST]
    for name in names:
        b.put_object(name, name.encode())
        equal(b.get_object(name).read(), name.encode())
        equal(b.object_exists(name), True)
    fails(400, "InvalidObjectName", b.put_object, "x" * 1024, b"x")
    listed = {o.key for o in oss2.ObjectIterator(b)}
    equal([name for name in names if name not in listed], [])
    for name in names:
        equal(b.delete_object(name).status, 204)
        equal(b.object_exists(name), False)


@case
def metadata():
    headers = {
        "Content-Type": "text/csv",
        "Cache-Control": "max-age=60",
        "Content-Disposition": 'attachment; filename="a b.csv"',
        "Content-Encoding": "identity",
        "Content-Language": "de",
        "Expires": "Wed, 01 Jan 2031 00:00:00 GMT",
        "x-oss-meta-one": "1",
        "x-oss-meta-With-Dash": "a, b",
    }
    b.put_object("meta", b"x", headers=headers)
    head = b.head_object("meta").headers
    for name, value in headers.items():
        equal((name, head.get(name.lower())), (name, value))
    equal(head["x-oss-storage-class"], "Standard")
    b.update_object_meta("meta", {"x-oss-meta-two": "2", "Content-Type": "text/html"})
    head = b.head_object("meta").headers
    equal((head.get("x-oss-meta-one"), head["x-oss-meta-two"], head["content-type"]), (None, "2", "text/html"))
    equal(b.get_object("meta").read(), b"x")
    meta = b.get_object_meta("meta")
    equal((meta.content_length, meta.etag), (1, b.head_object("meta").etag))


@case
def ranges():
    sent = blob(200_001, 1)
    b.put_object("range", sent)
    standard = {"x-oss-range-behavior": "standard"}
    for first, last in ((0, 0), (0, 9), (65_530, 65_545), (200_000, 200_000), (100, None), (None, 100)):
        answer = b.get_object("range", byte_range=(first, last))
        expected = sent[-last:] if first is None else sent[first : None if last is None else last + 1]
        equal((answer.status, answer.read()), (206, expected))
    for first, last in ((0, 200_001), (200_001, None), (300_000, 300_001), (None, 200_002)):
        answer = b.get_object("range", byte_range=(first, last))
        equal((answer.status, answer.headers.get("content-range"), answer.read()), (200, None, sent))
    cut = b.get_object("range", byte_range=(200_000, 300_000), headers=standard)
    equal((cut.status, cut.headers["content-range"], cut.read()), (206, "bytes 200000-200000/200001", sent[-1:]))
    fails(416, "InvalidRange", b.get_object, "range", byte_range=(200_001, None), headers=standard)


@case
def conditions():
    stored = b.put_object("condition", b"x")
    quoted = f'"{stored.etag}"'
    old, new = "Wed, 01 Jan 2014 00:00:00 GMT", "Wed, 01 Jan 2031 00:00:00 GMT"
    equal(b.get_object("condition", headers={"If-Match": quoted}).read(), b"x")
    equal(b.get_object("condition", headers={"If-None-Match": '"0"'}).read(), b"x")
    equal(b.get_object("condition", headers={"If-Modified-Since": old}).read(), b"x")
    equal(b.get_object("condition", headers={"If-Unmodified-Since": new}).read(), b"x")
    fails(412, "PreconditionFailed", b.get_object, "condition", headers={"If-Match": '"0"'})
    fails(412, "PreconditionFailed", b.get_object, "condition", headers={"If-Unmodified-Since": old})
    for headers in ({"If-None-Match": quoted}, {"If-Modified-Since": new}):
        try:
            b.get_object("condition", headers=headers)
            raise AssertionError("was modified")
        except oss2.exceptions.NotModified as error:
            equal(error.status, 304)


@case
def overwriting_is_forbidden():
    forbid = {"x-oss-forbid-overwrite": "true"}
    b.put_object("once", b"1", headers=forbid)
    fails(409, "FileAlreadyExists", b.put_object, "once", b"2", headers=forbid)
    equal(b.get_object("once").read(), b"1")
    b.put_object("once", b"3", headers={"x-oss-forbid-overwrite": "false"})
    fails(409, "FileAlreadyExists", b.copy_object, BUCKET, "range", "once", headers=forbid)
    equal(b.get_object("once").read(), b"3")


@case
def lists():
    names = ["list/a/1", "list/a/2", "list/b b/1", "list/c", "list/d+e"]
    for name in names:
        b.put_object(name, b"12345")
    page = b.list_objects("list/", "/", max_keys=2)
    equal((page.prefix_list, [o.key for o in page.object_list], page.is_truncated), (["list/a/", "list/b b/"], [], True))
    rest = b.list_objects("list/", "/", marker=page.next_marker)
    equal(([o.key for o in rest.object_list], rest.is_truncated), (["list/c", "list/d+e"], False))
    for o in rest.object_list:
        head = b.head_object(o.key)
        equal((o.size, o.etag, o.type, o.storage_class), (5, head.etag, "Normal", "Standard"))
        equal(o.last_modified, head.last_modified)
    equal([o.key for o in b.list_objects("list/b b/").object_list], ["list/b b/1"])
    equal([o.key for o in oss2.ObjectIterator(b, "list/", max_keys=2)], names)
    equal([o.key for o in oss2.ObjectIteratorV2(b, "list/", max_keys=2)], names)
    second = b.list_objects_v2("list/", start_after="list/b b/1", fetch_owner=True)
    equal([(o.key, o.owner.id != "") for o in second.object_list], [("list/c", True), ("list/d+e", True)])
    equal([o.owner for o in b.list_objects_v2("list/c").object_list], [None])
    equal([v.key for v in b.list_object_versions("list/").versions], names)
    equal(b.list_objects("nothing/").object_list, [])
    fails(400, "InvalidArgument", b.list_objects, max_keys=1001)


@case
def deletes_many():
    for name in ("many/1", "many/2 +%中"):
        b.put_object(name, b"x")
    result = b.batch_delete_objects(["many/1", "many/2 +%中", "many/none"])
    equal(sorted(result.deleted_keys), ["many/1", "many/2 +%中", "many/none"])
    equal(b.list_objects("many/").object_list, [])


@case
def copies():
    sent, source = blob(300_001, 2), "copy/ü +%?&"
    etag = b.put_object(source, sent, headers={"x-oss-meta-a": "b", "x-oss-tagging": "k=v"}).etag
    copied = b.copy_object(BUCKET, source, "copy/to", headers={"x-oss-copy-source-if-match": f'"{etag}"'})
    head = b.head_object("copy/to")
    equal((b.get_object("copy/to").read(), head.headers["x-oss-meta-a"], head.etag), (sent, "b", copied.etag))
    replace = {"x-oss-metadata-directive": "REPLACE", "x-oss-meta-c": "d"}
    b.copy_object(BUCKET, source, "copy/replaced", headers=replace)
    head = b.head_object("copy/replaced").headers
    equal((head.get("x-oss-meta-a"), head["x-oss-meta-c"]), (None, "d"))
    b.copy_object(BUCKET, source, source)
    equal((b.get_object(source).read(), b.head_object(source).headers["x-oss-meta-a"]), (sent, "b"))
    wrong = {"x-oss-copy-source-if-match": '"0"'}
    fails(412, "PreconditionFailed", b.copy_object, BUCKET, source, "copy/no", headers=wrong)
    fails(404, "NoSuchKey", b.copy_object, BUCKET, "copy/absent", "copy/no")
    fails(403, "AccessDenied", b.copy_object, "of-another-tenant", "x", "copy/no")
    equal(b.object_exists("copy/no"), False)


@case
def uploads_in_parts():
    parts = [blob(100 * KIB, 3), blob(100 * KIB + 1, 4), blob(10, 5)]
    sent, key = b"".join(parts), "parts/small ü+"
    upload = b.init_multipart_upload(key, headers={"x-oss-meta-a": "b"}).upload_id
    done = []
    for number, part in enumerate(parts, 1):
        result = b.upload_part(key, upload, number, part)
        done.append(PartInfo(number, result.etag, size=len(part), part_crc=result.crc))
    listed = b.list_parts(key, upload, max_parts=2)
    equal([(p.part_number, p.size, p.etag) for p in listed.parts], [(p.part_number, p.size, p.etag) for p in done[:2]])
    equal((listed.is_truncated, int(listed.next_marker)), (True, 2))
    equal([p.part_number for p in b.list_parts(key, upload, marker="2").parts], [3])
    equal([u.upload_id for u in b.list_multipart_uploads(prefix=key).upload_list], [upload])
    result = b.complete_multipart_upload(key, upload, done)
    head = b.head_object(key)
    equal((head.etag, head.content_length, head.object_type), (result.etag, len(sent), "Multipart"))
    crc = Crc64()
    crc.update(sent)
    equal((result.crc, int(head.headers["x-oss-hash-crc64ecma"])), (crc.crc, crc.crc))
    equal((b.get_object(key).read(), head.headers["x-oss-meta-a"]), (sent, "b"))
    fails(404, "NoSuchUpload", b.upload_part, key, "absent", 1, b"x")
    aborted = b.init_multipart_upload("parts/aborted").upload_id
    b.upload_part("parts/aborted", aborted, 1, b"x")
    equal(b.abort_multipart_upload("parts/aborted", aborted).status, 204)
    fails(404, "NoSuchUpload", b.list_parts, "parts/aborted", aborted)
    small = b.init_multipart_upload("parts/too-small").upload_id
    tiny = [PartInfo(n, b.upload_part("parts/too-small", small, n, b"x" * 1000).etag) for n in (1, 2)]
    fails(400, "EntityTooSmall", b.complete_multipart_upload, "parts/too-small", small, tiny)
    fails(400, "InvalidPart", b.complete_multipart_upload, "parts/too-small", small, [PartInfo(1, "0" * 32)])


@case
def copies_parts():
    sent = blob(500_000, 6)
    b.put_object("parts/source", sent)
    upload = b.init_multipart_upload("parts-copied").upload_id
    first = b.upload_part_copy(BUCKET, "parts/source", (0, 249_999), "parts-copied", upload, 1)
    second = b.upload_part_copy(BUCKET, "parts/source", (250_000, 499_999), "parts-copied", upload, 2)
    b.complete_multipart_upload("parts-copied", upload, [PartInfo(1, first.etag), PartInfo(2, second.etag)])
    equal(b.get_object("parts-copied").read(), sent)


@case
def resumable_transfers():
    sent = blob(3 * MIB + 5, 7)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(sent)
        store = oss2.ResumableStore(root=folder)
        oss2.resumable_upload(b, "resumable", path, store=store, multipart_threshold=MIB, part_size=MIB, num_threads=2)
        downloads = oss2.ResumableDownloadStore(root=folder)
        back = os.path.join(folder, "back")
        oss2.resumable_download(
            b, "resumable", back, store=downloads, multiget_threshold=MIB, part_size=MIB, num_threads=2
        )
        with open(back, "rb") as file:
            equal(file.read(), sent)
        b.get_object_to_file("resumable", back)
        with open(back, "rb") as file:
            equal(file.read(), sent)


@case
def encryption():
    managed, kms = {"x-oss-server-side-encryption": "AES256"}, {"x-oss-server-side-encryption": "KMS"}
    told = "x-oss-server-side-encryption"
    equal(b.put_object("sse", b"x", headers=managed).headers[told], "AES256")
    equal(b.head_object("sse").headers[told], "AES256")
    equal(b.get_object("sse").headers[told], "AES256")
    equal(b.copy_object(BUCKET, "sse", "sse-copy", headers=managed).headers[told], "AES256")
    started = b.init_multipart_upload("sse-parts", headers=managed)
    equal(started.headers[told], "AES256")
    part = b.upload_part("sse-parts", started.upload_id, 1, b"x")
    equal(part.headers[told], "AES256")
    equal(b.complete_multipart_upload("sse-parts", started.upload_id, [PartInfo(1, part.etag)]).headers[told], "AES256")
    stored = b.put_object("kms", b"x", headers=kms).headers
    equal(stored[told], "KMS")
    head = b.head_object("kms").headers
    equal((head[told], head[f"{told}-key-id"]), ("KMS", stored[f"{told}-key-id"]))
    equal(b.get_object("kms").read(), b"x")
    error = fails(400, "InvalidEncryptionAlgorithmError", b.put_object, "no", b"x", headers={told: "SM4"})
    equal(error.details["EC"], "0005-00000003")
    fails(400, "InvalidEncryptionAlgorithmError", b.put_object, "no", b"x", headers={told: "aes256"})
    unknown = {**kms, f"{told}-key-id": "nobody-has-this"}
    fails(400, "InvalidArgument", b.put_object, "no", b"x", headers=unknown)
    fails(400, "InvalidArgument", b.put_object, "no", b"x", headers={f"{told}-key-id": "default"})
    upload = b.init_multipart_upload("sse-refused").upload_id
    refused = [
        (b.get_object, ("sse",)),
        (b.delete_object, ("sse",)),
        (b.upload_part, ("sse-refused", upload, 1, b"x")),
        (b.complete_multipart_upload, ("sse-refused", upload, [])),
        (b.abort_multipart_upload, ("sse-refused", upload)),
        (b.list_objects, ()),
        (b.list_parts, ("sse-refused", upload)),
    ]
    for call, arguments in refused:
        error = fails(400, "InvalidArgument", call, *arguments, headers=managed)
        equal(error.details["EC"], "0005-00000002")
    fails(400, "InvalidArgument", b.head_object, "sse", headers=managed)
    equal(b.object_exists("no"), False)


@case
def bucket_encryption():
    rule = ServerSideEncryptionRule()
    rule.sse_algorithm, rule.kms_master_keyid = "KMS", ""
    b.put_bucket_encryption(rule)
    equal(b.get_bucket_encryption().sse_algorithm, "KMS")
    equal(b.put_object("by-default", b"x").headers["x-oss-server-side-encryption"], "KMS")
    rule.sse_algorithm, rule.kms_master_keyid = "AES256", None
    b.put_bucket_encryption(rule)
    equal(b.get_bucket_encryption().sse_algorithm, "AES256")
    equal(b.delete_bucket_encryption().status, 204)
    rule.sse_algorithm = "SM4"
    fails(400, "InvalidEncryptionAlgorithmError", b.put_bucket_encryption, rule)


@case
def signed_urls():
    b.put_object("signed +ü", b"by a URL")
    url = b.sign_url("GET", "signed +ü", 60, params={"response-content-type": "text/x y", "response-cache-control": "no-store"})
    with urllib.request.urlopen(url) as answer:
        equal((answer.read(), answer.headers["content-type"]), (b"by a URL", "text/x y"))
        equal(answer.headers["cache-control"], "no-store")
    slashes = b.sign_url("GET", "list/a/1", 60, slash_safe=True)
    with urllib.request.urlopen(slashes) as answer:
        equal(answer.read(), b"12345")
    put = b.sign_url("PUT", "signed-put", 60, headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(urllib.request.Request(put, b"put", {"Content-Type": "text/plain"}, method="PUT"))
    equal(b.get_object("signed-put").read(), b"put")
    equal(b.put_object_with_url(b.sign_url("PUT", "signed/two", 60), b"two").status, 200)
    late = [] if VERSION == "v4" else [b.sign_url("GET", "signed +ü", -1)]
    for bad in (url.replace("no-store", "public"), slashes.replace("list/a/1", "list/c"), *late):
        try:
            urllib.request.urlopen(bad)
        except urllib.error.HTTPError as error:
            equal(error.code, 403)
        else:
            raise AssertionError("a bad URL was served")


@case
def buckets():
    other = connect(bucket=f"{BUCKET}-second")
    equal(other.create_bucket().status, 200)
    service = oss2.Service(auth(), ENDPOINT, region="cn-hangzhou")
    names = [each.name for each in service.list_buckets(prefix=BUCKET).buckets]
    equal(names, [BUCKET, f"{BUCKET}-second"])
    page = service.list_buckets(prefix=BUCKET, max_keys=1)
    equal(([each.name for each in page.buckets], page.is_truncated, page.next_marker), ([BUCKET], True, BUCKET))
    equal([each.name for each in oss2.BucketIterator(service, prefix=BUCKET, max_keys=1)], names)
    info = other.get_bucket_info()
    equal((info.name, info.storage_class, info.acl.grant), (f"{BUCKET}-second", "Standard", "private"))
    equal(info.creation_date.endswith(".000Z"), True)
    if abs(time.time() - next(each.creation_date for each in service.list_buckets().buckets if each.name == info.name)) > 60:
        raise AssertionError(f"created at {info.creation_date}")
    equal(info.location, other.get_bucket_location().location)
    equal(other.get_bucket_acl().acl, "private")
    other.put_bucket_acl("private")
    fails(501, "NotImplemented", other.put_bucket_acl, "public-read")
    fails(409, "BucketAlreadyExists", other.create_bucket)
    other.put_object("x", b"x")
    fails(409, "BucketNotEmpty", other.delete_bucket)
    other.delete_object("x")
    equal(other.delete_bucket().status, 204)
    fails(404, "NoSuchBucket", other.get_bucket_info)
    fails(404, "NoSuchBucket", other.list_objects)
    fails(404, "NoSuchBucket", other.get_object, "x")
    fails(403, "AccessDenied", connect(bucket="of-another-tenant").list_objects)


@case
def object_acl():
    b.put_object("acl", b"x", headers={"x-oss-object-acl": "default"})
    equal(b.get_object_acl("acl").acl, "default")
    equal(b.put_object_acl("acl", "private").status, 200)
    fails(501, "NotImplemented", b.put_object_acl, "acl", "public-read")
    fails(404, "NoSuchKey", b.get_object_acl, "absent")


@case
def errors():
    fails(404, "NoSuchKey", b.get_object, "absent")
    head = fails(404, "NoSuchKey", b.head_object, "absent")
    equal(head.details.get("EC"), "0026-00000001")
    fails(404, "NoSuchKey", b.get_object_meta, "absent")
    equal(b.delete_object("absent").status, 204)
    fails(403, "SignatureDoesNotMatch", connect(secret="wrong").get_object, "x")
    fails(403, "SignatureDoesNotMatch", connect(secret="wrong").head_object, "x")
    fails(403, "InvalidAccessKeyId", connect(key_id="AKIDNOBODY").put_object, "x", b"x")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    fails(400, "InvalidDigest", b.put_object, "digest", b"x", headers={"Content-MD5": wrong})
    equal(b.object_exists("digest"), False)
    sts = oss2.StsAuth(ID, SECRET, "token", auth_version=VERSION)
    tokened = oss2.Bucket(sts, ENDPOINT, BUCKET, region="cn-hangzhou")
    fails(403, "InvalidSecurityToken", tokened.get_object, "x")


@case
def refused_by_name():
    calls = [
        (b.append_object, ("append", 0, b"x")),
        (b.get_bucket_cors, ()),
        (b.get_bucket_lifecycle, ()),
        (b.get_bucket_stat, ()),
        (b.get_bucket_policy, ()),
        (b.put_symlink, ("target", "link")),
        (b.restore_object, ("meta",)),
        (b.get_object_tagging, ("meta",)),
    ]
    for call, arguments in calls:
        fails(501, "NotImplemented", call, *arguments)
    fails(501, "NotImplemented", b.get_object, "meta", process="image/resize,w_10")
    callback = base64.b64encode(b'{"callbackUrl":"http://127.0.0.1/"}').decode()
    fails(501, "NotImplemented", b.put_object, "callback", b"x", headers={"x-oss-callback": callback})
    equal(b.object_exists("callback"), False)


if __name__ == "__main__":
    connect().create_bucket()
    for run in CASES:
        try:
            run()
            print(json.dumps({"case": run.__name__, "ok": True}), flush=True)
        except Exception:  # whatever it was belongs to this case
            print(json.dumps({"case": run.__name__, "ok": False, "error": traceback.format_exc()}), flush=True)
