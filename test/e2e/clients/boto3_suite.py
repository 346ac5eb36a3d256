"""boto3 through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

Arguments: endpoint, bucket, optionally a CA file. Credentials come from AWS's environment variables.
"""

import base64
import hashlib
import io
import json
import os
import random
import sys
import tempfile
import traceback
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, BUCKET = sys.argv[1], sys.argv[2]
CA = sys.argv[3] if len(sys.argv) > 3 else None
MIB = 1024 * 1024
CASES = []


def connect(**options):
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **options)
    return boto3.client("s3", endpoint_url=ENDPOINT, config=config, verify=CA)


s3 = connect()


def case(function):
    CASES.append(function)
    return function


def blob(size, seed):
    return random.Random(seed).randbytes(size)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def fails(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response
        equal((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        return answer["Error"].get("Message", "")
    raise AssertionError(f"did not fail with {code}")


def read(key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


@case
def round_trips():
    for size in (0, 1, 65_535, 65_536, 65_537, 5 * MIB + 1):
        sent, key = blob(size, size), f"size/{size}"
        stored = s3.put_object(Bucket=BUCKET, Key=key, Body=sent)
        head = s3.head_object(Bucket=BUCKET, Key=key)
        equal((head["ContentLength"], head["ETag"]), (size, stored["ETag"]))
        equal(hashlib.sha256(read(key)).digest(), hashlib.sha256(sent).digest())


@case
def default_checksums_come_back():
    # boto3 adds CRC32 by itself and verifies what it reads.
    stored = s3.put_object(Bucket=BUCKET, Key="crc", Body=b"hello")
    equal(stored["ChecksumCRC32"], "NhCmhg==")
    equal(s3.get_object(Bucket=BUCKET, Key="crc")["ChecksumCRC32"], "NhCmhg==")


@case
def every_checksum_algorithm():
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        s3.put_object(Bucket=BUCKET, Key=f"sum/{algorithm}", Body=blob(100_000, 1), ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
        assert head[f"Checksum{algorithm}"], algorithm


@case
def no_checksums_on_request():
    plain = connect(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    plain.put_object(Bucket=BUCKET, Key="plain", Body=b"no checksum")
    equal(read("plain"), b"no checksum")


@case
def unsigned_payload():
    unsigned = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        verify=CA,
        config=Config(s3={"addressing_style": "path", "payload_signing_enabled": False}),
    )
    unsigned.put_object(Bucket=BUCKET, Key="unsigned", Body=blob(200_000, 2))
    equal(read("unsigned"), blob(200_000, 2))


@case
def signed_payload():
    signed = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        verify=CA,
        config=Config(s3={"addressing_style": "path", "payload_signing_enabled": True}),
    )
    signed.put_object(Bucket=BUCKET, Key="signed", Body=blob(200_000, 3))
    equal(read("signed"), blob(200_000, 3))


@case
def wrong_md5_is_refused():
    fails("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="md5", Body=b"x", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    fails("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="md5")


@case
def transfer_manager():
    sent = blob(17 * MIB + 1, 4)
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "up"), os.path.join(folder, "down")
        with open(source, "wb") as file:
            file.write(sent)
        extra = {"Metadata": {"from": "a file"}, "ContentType": "text/csv"}
        s3.upload_file(source, BUCKET, "file", ExtraArgs=extra)  # in parts, several at once
        s3.download_file(BUCKET, "file", target)  # three ranges at once
        with open(target, "rb") as file:
            equal(hashlib.sha256(file.read()).digest(), hashlib.sha256(sent).digest())
    head = s3.head_object(Bucket=BUCKET, Key="file")
    equal((head["Metadata"], head["ContentType"]), ({"from": "a file"}, "text/csv"))


@case
def file_objects():
    s3.upload_fileobj(io.BytesIO(blob(300_000, 5)), BUCKET, "fileobj")
    target = io.BytesIO()
    s3.download_fileobj(BUCKET, "fileobj", target)
    equal(target.getvalue(), blob(300_000, 5))


@case
def small_files_need_no_configuration():
    s3.upload_fileobj(io.BytesIO(blob(8 * MIB - 1, 6)), BUCKET, "below")
    equal(len(read("below")), 8 * MIB - 1)


@case
def large_uploads_by_default():
    sent = blob(8 * MIB, 6)
    s3.upload_fileobj(io.BytesIO(sent), BUCKET, "parts")
    equal(hashlib.sha256(read("parts")).digest(), hashlib.sha256(sent).digest())
    small = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8)
    sent = blob(41 * MIB + 3, 7)
    s3.upload_fileobj(io.BytesIO(sent), BUCKET, "parts/many", Config=small)
    equal(hashlib.sha256(read("parts/many")).digest(), hashlib.sha256(sent).digest())


@case
def multipart_checksums():
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        for kind in ("COMPOSITE", "FULL_OBJECT") if algorithm == "CRC32" else ("COMPOSITE",):
            key = f"multipart/{algorithm}/{kind}"
            bodies = [blob(5 * MIB + 7, 8), blob(1000, 9)]
            begun = s3.create_multipart_upload(
                Bucket=BUCKET, Key=key, ChecksumAlgorithm=algorithm, ChecksumType=kind
            )
            equal((begun["ChecksumAlgorithm"], begun["ChecksumType"]), (algorithm, kind))
            where = {"Bucket": BUCKET, "Key": key, "UploadId": begun["UploadId"]}
            parts = []
            for number, body in enumerate(bodies, 1):
                sent = s3.upload_part(**where, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
                name = f"Checksum{algorithm}"
                parts.append({"PartNumber": number, "ETag": sent["ETag"], name: sent[name]})
            listed = s3.list_parts(**where)
            equal([part[name] for part in listed["Parts"]], [part[name] for part in parts])
            done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
            head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
            equal((done[name], done["ChecksumType"]), (head[name], kind))
            equal(head["ChecksumType"], kind)
            equal(hashlib.sha256(read(key)).digest(), hashlib.sha256(b"".join(bodies)).digest())


@case
def ranges_and_conditions():
    sent = blob(200_000, 7)
    etag = s3.put_object(Bucket=BUCKET, Key="range", Body=sent)["ETag"]
    part = s3.get_object(Bucket=BUCKET, Key="range", Range="bytes=65530-65540")
    equal((part["Body"].read(), part["ContentRange"]), (sent[65530:65541], "bytes 65530-65540/200000"))
    equal(read("range", Range="bytes=-7", IfMatch=etag), sent[-7:])
    fails("InvalidRange", 416, s3.get_object, Bucket=BUCKET, Key="range", Range="bytes=200000-")
    fails("PreconditionFailed", 412, s3.get_object, Bucket=BUCKET, Key="range", IfMatch='"other"')
    fails("304", 304, s3.get_object, Bucket=BUCKET, Key="range", IfNoneMatch=etag)
    fails("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="range", Body=b"", IfNoneMatch="*")


@case
def streaming_reads():
    s3.put_object(Bucket=BUCKET, Key="stream", Body=blob(1_000_000, 8))
    body = s3.get_object(Bucket=BUCKET, Key="stream")["Body"]
    equal(b"".join(body.iter_chunks(77_777)), blob(1_000_000, 8))


@case
def awkward_keys():
    for key in ("with space", "ünïcödé/中文/🗝", "plus+%2F%", "quote\"'<>&", "control\x01\x7f", "a=b&c?d#e"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        equal(read(key), key.encode())
        equal([entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]], [key])
        s3.delete_object(Bucket=BUCKET, Key=key)
        fails("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key=key)


@case
def listings():
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"list/{number}", Body=bytes(number))
    expected = [(f"list/{number}", number) for number in range(5)]
    for operation in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(operation).paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 2})
        equal([(entry["Key"], entry["Size"]) for page in pages for entry in page["Contents"]], expected)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="list/")
    equal([(entry["Key"], entry["Size"]) for page in pages for entry in page["Versions"]], expected)
    folders = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/", Prefix="li")
    equal([entry["Prefix"] for entry in folders["CommonPrefixes"]], ["list/"])


@case
def resources():
    bucket = boto3.resource(
        "s3", endpoint_url=ENDPOINT, verify=CA, config=Config(s3={"addressing_style": "path"})
    ).Bucket(BUCKET)
    for number in range(3):
        bucket.put_object(Key=f"resource/{number}", Body=b"x")
    equal([item.size for item in bucket.objects.filter(Prefix="resource/")], [1, 1, 1])
    bucket.objects.filter(Prefix="resource/").delete()
    equal(list(bucket.objects.filter(Prefix="resource/")), [])


def fetch(url, data=None, method="GET"):
    import ssl

    context = ssl.create_default_context(cafile=CA) if CA else None
    request = urllib.request.Request(url, data=data, method=method)
    if data is not None:
        request.add_header("Content-Type", "")
    with urllib.request.urlopen(request, context=context) as answer:
        return answer.read()


@case
def presigned():
    v4 = connect(signature_version="s3v4")
    where = {"Bucket": BUCKET, "Key": "presigned"}
    fetch(v4.generate_presigned_url("put_object", where), b"by a URL", "PUT")
    equal(fetch(v4.generate_presigned_url("get_object", where)), b"by a URL")
    try:
        fetch(v4.generate_presigned_url("get_object", where).replace("presigned", "range"))
        raise AssertionError("a forged URL was served")
    except urllib.error.HTTPError as error:
        equal(error.code, 403)


@case
def presigned_by_default():
    # In us-east-1 boto3 presigns with SigV2 unless told otherwise: refused, in words that say what to do.
    where = {"Bucket": BUCKET, "Key": "presigned"}
    for operation, method, data in (("get_object", "GET", None), ("put_object", "PUT", b"x")):
        try:
            fetch(s3.generate_presigned_url(operation, where), data, method)
            raise AssertionError("a SigV2 URL was served")
        except urllib.error.HTTPError as error:
            equal(error.code, 400)
            document = error.read().decode()
            assert "<Code>InvalidRequest</Code>" in document and "Signature Version 4" in document, document


@case
def metadata():
    content = {
        "ContentType": "text/csv",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
    }
    user = {"plain": "value", "with-dash": "a  b"}
    s3.put_object(Bucket=BUCKET, Key="metadata", Body=b"x", Metadata=user, **content)
    head = s3.head_object(Bucket=BUCKET, Key="metadata")
    equal({name: head[name] for name in content}, content)
    equal(head["Metadata"]["plain"], "value")
    assert not [name for name in head["Metadata"] if name.startswith("sx1")], head["Metadata"]


@case
def buckets():
    s3.create_bucket(Bucket="acme-temporary-boto3")
    s3.get_waiter("bucket_exists").wait(Bucket="acme-temporary-boto3")
    assert BUCKET in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket="acme-temporary-boto3")
    fails("404", 404, s3.head_bucket, Bucket="acme-temporary-boto3")
    fails("AccessDenied", 403, s3.create_bucket, Bucket="of-another-tenant")
    equal(s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], None)


@case
def tags():
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Tagging="a=1")
    equal(s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [{"Key": "a", "Value": "1"}])


@case
def wrong_credentials():
    stranger = boto3.client(
        "s3", endpoint_url=ENDPOINT, verify=CA, aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"]
    )
    fails("SignatureDoesNotMatch", 403, stranger.get_object, Bucket=BUCKET, Key="range")
    nobody = boto3.client(
        "s3", endpoint_url=ENDPOINT, verify=CA, aws_secret_access_key="wrong", aws_access_key_id="AKIDNOBODY"
    )
    fails("InvalidAccessKeyId", 403, nobody.get_object, Bucket=BUCKET, Key="range")


@case
def large_copies():
    sent = blob(21 * MIB + 7, 10)
    s3.upload_fileobj(io.BytesIO(sent), BUCKET, "copies/large", ExtraArgs={"Metadata": {"a": "b"}})
    source = {"Bucket": BUCKET, "Key": "copies/large"}
    s3.copy(source, BUCKET, "copies/in parts", ExtraArgs={"ChecksumAlgorithm": "SHA256"})  # three, at once
    equal(hashlib.sha256(read("copies/in parts")).digest(), hashlib.sha256(sent).digest())
    head = s3.head_object(Bucket=BUCKET, Key="copies/in parts", ChecksumMode="ENABLED")
    equal((head["Metadata"], head["ChecksumSHA256"][-2:]), ({"a": "b"}, "-3"))
    copied = s3.copy_object(Bucket=BUCKET, Key="copies/one", CopySource=source, ChecksumAlgorithm="SHA256")
    expected = base64.b64encode(hashlib.sha256(sent).digest()).decode()
    equal((copied["CopyObjectResult"]["ChecksumSHA256"], copied["CopyObjectResult"]["ChecksumType"]), (expected, "FULL_OBJECT"))
    equal(s3.head_object(Bucket=BUCKET, Key="copies/one", ChecksumMode="ENABLED")["ChecksumSHA256"], expected)


@case
def copies_of_ranges():
    s3.put_object(Bucket=BUCKET, Key="copies/five", Body=b"hello")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="copies/ranged")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "copies/ranged", "UploadId": upload, "PartNumber": 1}
    source = {"Bucket": BUCKET, "Key": "copies/five"}
    for wrong in ("0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5"):
        fails("InvalidArgument", 400, s3.upload_part_copy, CopySource=source, CopySourceRange=wrong, **where)
    fails("InvalidRange", 416, s3.upload_part_copy, CopySource=source, CopySourceRange="bytes=0-21", **where)
    part = s3.upload_part_copy(CopySource=source, CopySourceRange="bytes=1-3", **where)["CopyPartResult"]
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(
        Bucket=BUCKET, Key="copies/ranged", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    equal(read("copies/ranged"), b"ell")


@case
def copies():
    sent, key = blob(300_001, 9), "copies/ü +%?&"
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=sent, Metadata={"a": "b"}, Tagging="k=v")["ETag"]
    source = {"Bucket": BUCKET, "Key": key}
    result = s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, CopySourceIfMatch=etag)["CopyObjectResult"]
    head = s3.head_object(Bucket=BUCKET, Key="copy", ChecksumMode="ENABLED")
    equal((read("copy"), head["Metadata"], head["ETag"]), (sent, {"a": "b"}, result["ETag"]))
    equal(result["ChecksumCRC32"], head["ChecksumCRC32"])
    equal(s3.get_object_tagging(Bucket=BUCKET, Key="copy")["TagSet"], [{"Key": "k", "Value": "v"}])
    s3.copy(source, BUCKET, "managed", ExtraArgs={"MetadataDirective": "REPLACE", "Metadata": {"c": "d"}})
    equal((read("managed"), s3.head_object(Bucket=BUCKET, Key="managed")["Metadata"]), (sent, {"c": "d"}))
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=BUCKET, Key="no", CopySource=source, CopySourceIfMatch='"x"')
    fails("PreconditionFailed", 412, s3.copy_object, Bucket=BUCKET, Key="copy", CopySource=source, IfNoneMatch="*")
    fails("InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key=key, CopySource=source)
    fails("NoSuchKey", 404, s3.copy_object, Bucket=BUCKET, Key="no", CopySource=f"{BUCKET}/absent")
    fails("AccessDenied", 403, s3.copy_object, Bucket=BUCKET, Key="no", CopySource="of-another-tenant/x")
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="no")


s3.create_bucket(Bucket=BUCKET)
for run in CASES:
    try:
        run()
        print(json.dumps({"case": run.__name__, "ok": True}), flush=True)
    except Exception:  # whatever it was belongs to this case
        print(json.dumps({"case": run.__name__, "ok": False, "error": traceback.format_exc()}), flush=True)
