"""boto3's presigned forms, sent by urllib3 as its users' clients do. Prints one JSON line.

Arguments: endpoint, bucket. Credentials come from AWS's environment variables.
"""

import json
import sys

import boto3
import urllib3
from botocore.client import Config

ENDPOINT, BUCKET = sys.argv[1], sys.argv[2]


def connect(**options):
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **options)
    return boto3.client("s3", endpoint_url=ENDPOINT, config=config)


def send(form, name, data):
    fields = {**form["fields"], "file": (name, data)}
    answer = urllib3.request("POST", form["url"], fields=fields, redirect=False)
    return {"status": answer.status, "body": answer.data.decode()}


v4 = connect(signature_version="s3v4")
seen = {
    "v4": send(
        v4.generate_presigned_post(
            BUCKET,
            "boto3/${filename}",
            Fields={"success_action_status": "201", "x-amz-meta-from": "boto3", "Content-Type": "text/plain"},
            Conditions=[
                {"success_action_status": "201"},
                {"x-amz-meta-from": "boto3"},
                ["starts-with", "$Content-Type", "text/"],
                ["content-length-range", 1, 1000],
            ],
        ),
        "grün.txt",
        b"by boto3",
    ),
    "large": send(
        v4.generate_presigned_post(BUCKET, "boto3/large", Conditions=[["content-length-range", 1, 10]]),
        "x",
        b"eleven byte",
    ),
    "v2": send(connect(signature_version="s3").generate_presigned_post(BUCKET, "boto3/v2"), "x", b"by version 2"),
}
head = v4.head_object(Bucket=BUCKET, Key="boto3/grün.txt")
seen["head"] = [head["ContentLength"], head["ContentType"], head["Metadata"]]
print(json.dumps(seen))
