"""boto3 on a bucket whose ETags are MD5s: what its users compute and compare. Prints one JSON line, name to outcome.

Arguments: endpoint, bucket. Credentials come from AWS's environment variables.
"""

import hashlib
import json
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, BUCKET = sys.argv[1], sys.argv[2]
MIB = 1024 * 1024
CONFIG = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=CONFIG)
s3.create_bucket(Bucket=BUCKET)
seen = {}


def md5(data):
    return hashlib.md5(data).hexdigest()


def outcome(operation, **arguments):
    try:
        return operation(Bucket=BUCKET, **arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def listed(key):
    return s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"][0]["ETag"].strip('"')


hello = b"hello"
put = s3.put_object(Bucket=BUCKET, Key="one", Body=hello)["ETag"].strip('"')
seen["put"] = [put, s3.head_object(Bucket=BUCKET, Key="one")["ETag"].strip('"'), listed("one")] == [md5(hello)] * 3

data = bytes(range(256)) * (4 * 1024) * 18 + b"the end"
with open("large", "wb") as file:
    file.write(data)
s3.upload_file("large", BUCKET, "large", Config=TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB))
digests = [hashlib.md5(data[at : at + 8 * MIB]).digest() for at in range(0, len(data), 8 * MIB)]
expected = f"{md5(b''.join(digests))}-{len(digests)}"
seen["upload_file"] = [s3.head_object(Bucket=BUCKET, Key="large")["ETag"].strip('"'), listed("large")] == [expected] * 2
s3.download_file(BUCKET, "large", "back")
seen["download_file"] = open("back", "rb").read() == data

other = md5(b"another")
seen["get if match"] = outcome(s3.get_object, Key="one", IfMatch=put)
seen["get if match another"] = outcome(s3.get_object, Key="one", IfMatch=other)
seen["get if none match"] = outcome(s3.get_object, Key="one", IfNoneMatch=f'"{put}"')
seen["get if none match another"] = outcome(s3.get_object, Key="one", IfNoneMatch=f'"{other}"')
seen["head if match another"] = outcome(s3.head_object, Key="one", IfMatch=other)
seen["put if none match any"] = outcome(s3.put_object, Key="one", Body=b"2", IfNoneMatch="*")
seen["put if match another"] = outcome(s3.put_object, Key="one", Body=b"2", IfMatch=other)
seen["put if match"] = outcome(s3.put_object, Key="one", Body=b"2", IfMatch=put)
seen["put if match again"] = outcome(s3.put_object, Key="one", Body=b"3", IfMatch=put)
seen["what is there"] = s3.get_object(Bucket=BUCKET, Key="one")["Body"].read().decode()
source = {"Bucket": BUCKET, "Key": "large"}
seen["copy if match"] = outcome(s3.copy_object, Key="copy", CopySource=source, CopySourceIfMatch=expected)
seen["copy if match another"] = outcome(s3.copy_object, Key="copy", CopySource=source, CopySourceIfMatch=other)
seen["copy if none match"] = outcome(s3.copy_object, Key="copy", CopySource=source, CopySourceIfNoneMatch=expected)
seen["attributes"] = (
    s3.get_object_attributes(Bucket=BUCKET, Key="large", ObjectAttributes=["ETag"])["ETag"].strip('"') == expected
)
print(json.dumps(seen))
