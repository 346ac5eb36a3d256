"""A database's write-ahead log in the store: every case prints one JSON line, {"case": …, "ok": …, "error": …}.

As barman-cloud, WAL-G and pgBackRest do it: compressed segments of a few KiB to 16 MiB, each once, under names that
sort; the next one asked for before it is there; old ones removed by the thousand.
Arguments: endpoint, bucket. Credentials come from AWS's environment variables.
"""

import base64
import concurrent.futures
import gzip
import hashlib
import io
import json
import random
import sys
import traceback

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, BUCKET = sys.argv[1], sys.argv[2]
MIB = 1024 * 1024
COUNT = 1_200
CASES = []

s3 = boto3.client(
    "s3",
    endpoint_url=ENDPOINT,
    config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=16),
)
s3.create_bucket(Bucket=BUCKET)


def case(function):
    CASES.append(function)
    return function


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{str(actual)[:300]} is not {str(expected)[:300]}")


def segment_name(number):
    return f"server/wals/{number // 256:016X}/{number // 256:016X}{number % 256:08X}.gz"


def segment(number):
    """Mostly compressible, as segments that a timeout closed early: a few KiB up to 40 KiB."""
    return gzip.compress(random.Random(number).randbytes(500 + number * 37 % 40_000) + bytes(20_000), 1, mtime=0)


def read(key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def code_of(call, **arguments):
    try:
        call(Bucket=BUCKET, **arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return "nothing failed", 0


def listed(prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", [])]


@case
def archives_segments_by_several_writers():
    def archive(number):
        body = segment(number)
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        s3.put_object(Bucket=BUCKET, Key=segment_name(number), Body=body, ContentMD5=digest)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(archive, range(COUNT)))


@case
def lists_them_in_order_with_their_sizes():
    equal(listed("server/wals/"), [(segment_name(number), len(segment(number))) for number in range(COUNT)])


@case
def replays_them_in_order_until_the_next_is_not_there():
    """A recovery: one after the other, and the first that is missing ends it, so it must be a clear 404."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for number, body in enumerate(pool.map(lambda at: read(segment_name(at)), range(COUNT))):
            equal(body == segment(number), True)
    equal(code_of(s3.get_object, Key=segment_name(COUNT)), ("NoSuchKey", 404))
    equal(code_of(s3.head_object, Key=segment_name(COUNT)), ("404", 404))


@case
def archives_no_segment_twice():
    """Two servers that both believe themselves the primary: the second must not win."""
    key = segment_name(3)
    equal(code_of(s3.put_object, Key=key, Body=b"of another timeline", IfNoneMatch="*"), ("PreconditionFailed", 412))
    equal(read(key) == segment(3), True)


@case
def refuses_a_segment_that_was_damaged_on_its_way():
    digest = base64.b64encode(hashlib.md5(b"what was meant").digest()).decode()
    equal(code_of(s3.put_object, Key=segment_name(COUNT), Body=b"what came", ContentMD5=digest), ("BadDigest", 400))
    equal(code_of(s3.get_object, Key=segment_name(COUNT)), ("NoSuchKey", 404))


@case
def archives_whole_segments_and_a_base_backup():
    """16 MiB that do not compress, and a tar that streams in parts of unknown number."""
    whole = random.Random(1).randbytes(16 * MIB)
    s3.upload_fileobj(io.BytesIO(whole), BUCKET, "server/wals/whole")
    equal(hashlib.sha256(read("server/wals/whole")).digest(), hashlib.sha256(whole).digest())
    base = random.Random(2).randbytes(23 * MIB + 11)
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=2)
    s3.upload_fileobj(io.BytesIO(base), BUCKET, "server/base/data.tar", Config=parts)
    into = io.BytesIO()
    s3.download_fileobj(BUCKET, "server/base/data.tar", into, Config=parts)
    equal(hashlib.sha256(into.getvalue()).digest(), hashlib.sha256(base).digest())
    s3.put_object(Bucket=BUCKET, Key="server/base/backup.info", Body=json.dumps({"begin_wal": segment_name(700)}))
    equal(json.loads(read("server/base/backup.info")), {"begin_wal": segment_name(700)})


@case
def removes_what_no_backup_needs_any_more():
    old = [{"Key": segment_name(number)} for number in range(700)]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": old, "Quiet": True})
    equal(answer.get("Errors", []), [])
    equal([key for key, _ in listed("server/wals/0")], [segment_name(number) for number in range(700, COUNT)])
    equal(read(segment_name(700)) == segment(700), True)


for function in CASES:
    try:
        function()
        print(json.dumps({"case": function.__name__, "ok": True}), flush=True)
    except Exception:
        print(json.dumps({"case": function.__name__, "ok": False, "error": traceback.format_exc()[-1500:]}), flush=True)
