"""qingstor-sdk for Python through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

Arguments: host, port, bucket. Credentials come from QINGSTOR_ACCESS_KEY_ID and QINGSTOR_SECRET_ACCESS_KEY.
"""

import base64
import hashlib
import json
import os
import random
import sys
import time
import traceback
import urllib.request

from qingstor.sdk.config import Config
from qingstor.sdk.service.qingstor import QingStor

HOST, PORT, BUCKET = sys.argv[1:4]
ID, SECRET = os.environ["QINGSTOR_ACCESS_KEY_ID"], os.environ["QINGSTOR_SECRET_ACCESS_KEY"]
MIB = 1024 * 1024
CASES = []


def connect(key_id=ID, secret=SECRET):
    config = Config(key_id, secret)
    config.host, config.port, config.protocol, config.connection_retries = HOST, int(PORT), "http", 0
    return QingStor(config)


service = connect()
b = service.Bucket(BUCKET, "")


def case(function):
    CASES.append(function)
    return function


def blob(size, seed):
    return random.Random(seed).randbytes(size)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def is_status(answer, status):
    equal((answer.status_code, answer.get("code"), answer.get("message")), (status, None, None))
    return answer


def fails(answer, status, code):
    equal((answer.status_code, answer.get("code")), (status, code))
    equal(bool(answer.get("request_id")), True)


def sent_key(fill, prefix="x_qs_"):
    key = bytes([fill]) * 32
    name = prefix + "encryption_customer_"
    key_md5 = base64.b64encode(hashlib.md5(key).digest()).decode()
    return {name + "algorithm": "AES256", name + "key": base64.b64encode(key).decode(), name + "key_md5": key_md5}


@case
def objects_come_back_with_type_and_metadata():
    data = blob(70_001, 1)
    stored = is_status(b.put_object("a/object", body=data, content_type="text/csv", x_qs_meta_data={"owner": "me"}), 201)
    got = is_status(b.get_object("a/object"), 200)
    equal(got.content, data)
    equal(got.headers["Content-Type"], "text/csv")
    equal(got.headers["X-QS-Meta-owner"], "me")
    equal(got.headers["ETag"], stored.headers["ETag"])
    head = is_status(b.head_object("a/object"), 200)
    equal((head.headers["Content-Length"], head.headers["X-QS-Storage-Class"]), ("70001", "STANDARD"))
    is_status(b.delete_object("a/object"), 204)
    fails(b.get_object("a/object"), 404, "object_not_exists")


@case
def the_etag_is_the_md5():
    data = blob(1000, 2)
    equal(b.put_object("md5", body=data).headers["ETag"], f'"{hashlib.md5(data).hexdigest()}"')


@case
def every_kind_of_key():
    for key in ["with space", "中文/ünï", "plus+quote'()!*~", "a=b&c", "percent%2F%20", "a/b/c"]:
        is_status(b.put_object(key, body=key.encode()), 201)
        equal(is_status(b.get_object(key), 200).content, key.encode())
        equal([found["key"] for found in b.list_objects(prefix=key)["keys"]], [key])
        is_status(b.delete_object(key), 204)


@case
def lists_folders_with_blanks_page_by_page():
    for name in ["my own+dir/1", "my own+dir/2", "my own+dir/sub/3", "other"]:
        b.put_object("list/" + name, body=b"x")
    page = b.list_objects(prefix="list/my own+dir/", delimiter="/")
    equal({type(page["keys"][0][name]) for name in ["size", "modified"]}, {int})
    equal([found["key"][-2:] for found in page["keys"]], ["/1", "/2"])
    equal(page["common_prefixes"], ["list/my own+dir/sub/"])
    seen, marker = [], ""
    while True:
        page = b.list_objects(prefix="list/", limit="1", marker=marker)
        seen += [found["key"] for found in page["keys"]]
        if not page["has_more"]:
            break
        marker = page["next_marker"]
    equal(len(seen), 4)


@case
def ranges_and_conditions():
    data = blob(100_000, 3)
    etag = b.put_object("range", body=data).headers["ETag"]
    got = b.get_object("range", range="bytes=65530-65545")
    equal((got.status_code, got.content, got.headers["Content-Range"]), (206, data[65530:65546], "bytes 65530-65545/100000"))
    fails(b.get_object("range", range="bytes=100000-"), 416, "invalid_range")
    equal(b.get_object("range", if_none_match=etag).status_code, 304)
    refused = b.get_object("range", if_match='"other"')
    equal((refused.status_code, refused.content), (412, b""))


@case
def uploads_parts_from_zero_with_gaps():
    upload = is_status(b.initiate_multipart_upload("parts", content_type="text/csv"), 200)["upload_id"]
    parts = {0: blob(4 * MIB, 4), 3: blob(4 * MIB, 5), 8: blob(100, 6)}
    for number, data in parts.items():
        is_status(b.upload_multipart("parts", part_number=str(number), upload_id=upload, body=data), 201)
    is_status(b.upload_multipart("parts", part_number="3", upload_id=upload, body=parts[3]), 201)
    listed = b.list_multipart("parts", upload_id=upload)
    equal([(part["part_number"], part["size"]) for part in listed["object_parts"]], [(n, len(d)) for n, d in parts.items()])
    equal([found["upload_id"] for found in b.list_multipart_uploads(prefix="parts")["uploads"]], [upload])
    named = [{"part_number": number} for number in parts]
    is_status(b.complete_multipart_upload("parts", upload_id=upload, object_parts=named, etag='"%s"' % ("0" * 32)), 201)
    equal(b.get_object("parts").content, b"".join(parts.values()))


@case
def completes_with_etags_and_aborts():
    upload = b.initiate_multipart_upload("named")["upload_id"]
    etag = b.upload_multipart("named", part_number="0", upload_id=upload, body=b"x").headers["ETag"]
    wrong = [{"part_number": 0, "etag": '"%s"' % ("0" * 32)}]
    fails(b.complete_multipart_upload("named", upload_id=upload, object_parts=wrong), 400, "invalid_argument")
    named = [{"part_number": 0, "etag": etag}]
    is_status(b.complete_multipart_upload("named", upload_id=upload, object_parts=named), 201)
    equal(b.get_object("named").content, b"x")
    upload = b.initiate_multipart_upload("aborted")["upload_id"]
    is_status(b.abort_multipart_upload("aborted", upload_id=upload), 204)
    fails(b.list_multipart("aborted", upload_id=upload), 404, "upload_not_exists")


@case
def small_parts_are_refused_by_the_vendors_name():
    upload = b.initiate_multipart_upload("small")["upload_id"]
    for number in ["0", "1"]:
        b.upload_multipart("small", part_number=number, upload_id=upload, body=b"x")
    named = [{"part_number": 0}, {"part_number": 1}]
    fails(b.complete_multipart_upload("small", upload_id=upload, object_parts=named), 400, "entity_too_small")
    b.abort_multipart_upload("small", upload_id=upload)


@case
def copies_and_moves():
    data = blob(50_000, 7)
    b.put_object("from a+b", body=data, content_type="text/css")
    source = f"/{BUCKET}/from a+b"
    is_status(b.put_object("copy", x_qs_copy_source=source), 201)
    got = b.get_object("copy")
    equal((got.content, got.headers["Content-Type"]), (data, "text/css"))
    replaced = {"x_qs_metadata_directive": "REPLACE", "content_type": "text/html"}
    is_status(b.put_object("copy", x_qs_copy_source=source, **replaced), 201)
    equal(b.head_object("copy").headers["Content-Type"], "text/html")
    is_status(b.put_object("from a+b", x_qs_copy_source=source), 201)
    is_status(b.put_object("moved", x_qs_move_source=source), 201)
    equal(b.get_object("moved").content, data)
    fails(b.get_object("from a+b"), 404, "object_not_exists")
    upload = b.initiate_multipart_upload("joined")["upload_id"]
    part = {"upload_id": upload, "part_number": "0", "x_qs_copy_source": f"/{BUCKET}/moved"}
    is_status(b.upload_multipart("joined", x_qs_copy_range="bytes=10-19", **part), 201)
    is_status(b.complete_multipart_upload("joined", upload_id=upload, object_parts=[{"part_number": 0}]), 201)
    equal(b.get_object("joined").content, data[10:20])


@case
def keys_of_clients_open_what_they_sealed():
    data = blob(80_000, 8)
    stored = is_status(b.put_object("sealed", body=data, **sent_key(1)), 201)
    equal(stored.headers["X-QS-Encryption-Customer-Algorithm"], "AES256")
    equal(b.get_object("sealed", **sent_key(1)).content, data)
    fails(b.get_object("sealed"), 403, "permission_denied")
    fails(b.get_object("sealed", **sent_key(2)), 403, "permission_denied")
    is_status(b.head_object("sealed", **sent_key(1)), 200)
    malformed = {**sent_key(1), "x_qs_encryption_customer_key_md5": sent_key(2)["x_qs_encryption_customer_key_md5"]}
    fails(b.get_object("sealed", **malformed), 400, "invalid_argument")
    copy = {"x_qs_copy_source": f"/{BUCKET}/sealed", **sent_key(1, "x_qs_copy_source_"), **sent_key(2)}
    is_status(b.put_object("sealed copy", **copy), 201)
    equal(b.get_object("sealed copy", **sent_key(2)).content, data)
    is_status(b.put_object("sealed moved", x_qs_move_source=f"/{BUCKET}/sealed"), 201)
    equal(b.get_object("sealed moved", **sent_key(1)).content, data)


@case
def keys_of_clients_are_the_same_for_every_part():
    upload = is_status(b.initiate_multipart_upload("sealed parts", **sent_key(3)), 200)["upload_id"]
    about = {"upload_id": upload, "part_number": "0"}
    equal(b.upload_multipart("sealed parts", body=b"x", **about, **sent_key(4)).status_code in (400, 403), True)
    equal(b.upload_multipart("sealed parts", body=b"x", **about).status_code in (400, 403), True)
    is_status(b.upload_multipart("sealed parts", body=b"x", **about, **sent_key(3)), 201)
    is_status(b.complete_multipart_upload("sealed parts", upload_id=upload, object_parts=[{"part_number": 0}]), 201)
    equal(b.get_object("sealed parts", **sent_key(3)).content, b"x")


@case
def deletes_many():
    for name in ["many/1", "many/2"]:
        b.put_object(name, body=b"x")
    objects = [{"key": "many/1"}, {"key": "many/2"}, {"key": "many/none"}]
    answer = is_status(b.delete_multiple_objects(content_md5="computed by the SDK", objects=objects, quiet=False), 200)
    equal(sorted(found["key"] for found in answer["deleted"]), ["many/1", "many/2", "many/none"])
    equal(b.list_objects(prefix="many/")["keys"], [])


@case
def buckets_from_first_to_last():
    other = service.Bucket(BUCKET + "-other", "")
    is_status(other.put(), 201)
    fails(other.put(), 409, "bucket_already_exists")
    is_status(other.head(), 200)
    equal(BUCKET + "-other" in [found["name"] for found in service.list_buckets()["buckets"]], True)
    statistics = is_status(other.get_statistics(), 200)
    equal((statistics["count"], statistics["size"], statistics["status"]), (0, 0, "active"))
    equal(is_status(other.get_acl(), 200)["acl"][0]["permission"], "FULL_CONTROL")
    fails(other.get_cors(), 501, "not_implemented")
    is_status(other.delete(), 204)
    fails(other.list_objects(), 404, "bucket_not_exists")


@case
def signed_urls():
    b.put_object("by/url", body=b"by a URL")
    request = b.get_object_request("by/url", response_content_type="text/html; a=b c")
    with urllib.request.urlopen(request.sign_query(int(time.time()) + 60).url) as answer:
        equal((answer.read(), answer.headers["Content-Type"]), (b"by a URL", "text/html; a=b c"))


@case
def strangers_are_refused():
    fails(connect(secret="another").Bucket(BUCKET, "").get_object("x"), 401, "signature_not_matched")
    fails(connect(key_id="NOBODY").Bucket(BUCKET, "").get_object("x"), 401, "invalid_access_key_id")
    fails(service.Bucket("of-another-tenant", "").list_objects(), 403, "permission_denied")


b.put()
for run in CASES:
    result = {"case": run.__name__, "ok": True}
    try:
        run()
    except Exception:
        result = {"case": run.__name__, "ok": False, "error": traceback.format_exc()[-900:]}
    print(json.dumps(result), flush=True)
