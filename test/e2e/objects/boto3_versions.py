"""Versions, delete markers, locks and tags by boto3: every answer one line of JSON, without ids, dates and ETags.

Arguments: endpoint, prefix of the buckets. Credentials come from AWS's environment variables.
"""

import datetime
import json
import sys

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, PREFIX = sys.argv[1], sys.argv[2]
CONFIG = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=CONFIG)
VERSIONS, LOCKED = f"{PREFIX}-versions", f"{PREFIX}-locked"
UNTIL = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
LABELS = {}

# Each server's own, and the order of what has none.
DROPPED = {"ResponseMetadata", "ETag", "LastModified", "RequestId", "HostId", "AcceptRanges", "Owner", "RetainUntilDate",
           "ObjectLockRetainUntilDate", "Message", "NextVersionIdMarker", "NextKeyMarker", "VersionIdMarker",
           "ServerSideEncryption"}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(each) for name, each in sorted(value.items()) if name not in DROPPED and each != ""}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        value = value.replace(PREFIX, "PREFIX")
        if len(value) == 36 and value.count("-") == 4:
            return LABELS.setdefault(value, f"version {len(LABELS) + 1}")
        return value
    return value.decode() if isinstance(value, bytes) else value


def ask(name, operation, **arguments):
    try:
        answer = getattr(s3, operation)(**arguments)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        told = {"status": status, "answer": plain(answer)}
    except ClientError as error:
        answer = error.response
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        marks = {key: plain(headers[key]) for key in ("x-amz-delete-marker", "x-amz-version-id") if key in headers}
        told = {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": answer["Error"]["Code"], "marks": marks}
    print(json.dumps({"ask": name, **told}), flush=True)
    return answer


where = {"Bucket": VERSIONS, "Key": "dir/a b+c/ü"}
ask("create", "create_bucket", Bucket=VERSIONS)
ask("enable", "put_bucket_versioning", Bucket=VERSIONS, VersioningConfiguration={"Status": "Enabled"})
one = ask("one", "put_object", **where, Body=b"one", Metadata={"number": "1"}, Tagging="a=1")["VersionId"]
two = ask("two", "put_object", **where, Body=b"number two")["VersionId"]
for version in (one, two):
    ask("get", "get_object", **where, VersionId=version)
    ask("head", "head_object", **where, VersionId=version)
    ask("tags", "get_object_tagging", **where, VersionId=version)
    ask("range", "get_object", **where, VersionId=version, Range="bytes=1-2")
ask("tag", "put_object_tagging", **where, VersionId=two, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
ask("tags", "get_object_tagging", **where)
marker = ask("delete", "delete_object", **where)["VersionId"]
ask("gone", "get_object", **where)
ask("gone", "head_object", **where)
ask("marker", "get_object", **where, VersionId=marker)
ask("marker", "head_object", **where, VersionId=marker)
ask("versions", "list_object_versions", Bucket=VERSIONS)
ask("versions", "list_object_versions", Bucket=VERSIONS, Prefix="dir/", Delimiter="/")
ask("objects", "list_objects_v2", Bucket=VERSIONS)
ask("back", "delete_object", **where, VersionId=marker)
ask("back", "get_object", **where)
ask("many", "delete_objects", Bucket=VERSIONS, Delete={"Objects": [
    {"Key": where["Key"], "VersionId": one}, {"Key": where["Key"], "VersionId": two}, {"Key": "absent"}]})
ask("suspend", "put_bucket_versioning", Bucket=VERSIONS, VersioningConfiguration={"Status": "Suspended"})
ask("null", "put_object", **where, Body=b"without a version")
ask("null", "get_object", **where, VersionId="null")
ask("null", "delete_object", **where, VersionId="null")
ask("versions", "list_object_versions", Bucket=VERSIONS)

held = {"Bucket": LOCKED, "Key": "held"}
ask("create", "create_bucket", Bucket=LOCKED, ObjectLockEnabledForBucket=True)
ask("configuration", "get_object_lock_configuration", Bucket=LOCKED)
lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
version = ask("lock", "put_object", **held, Body=b"locked", **lock, ObjectLockLegalHoldStatus="ON")["VersionId"]
ask("head", "head_object", **held)
ask("retention", "get_object_retention", **held)
ask("hold", "get_object_legal_hold", **held, VersionId=version)
ask("held", "delete_object", **held, VersionId=version, BypassGovernanceRetention=True)
ask("release", "put_object_legal_hold", **held, LegalHold={"Status": "OFF"})
ask("locked", "delete_object", **held, VersionId=version)
ask("locked", "delete_objects", Bucket=LOCKED, Delete={"Objects": [{"Key": "held", "VersionId": version}]})
ask("bypass", "delete_objects", Bucket=LOCKED, BypassGovernanceRetention=True,
    Delete={"Objects": [{"Key": "held", "VersionId": version}]})
ask("gone", "get_object", **held, VersionId=version)
ask("restore", "restore_object", Bucket=VERSIONS, Key="absent", RestoreRequest={"Days": 1})
