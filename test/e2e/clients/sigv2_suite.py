"""boto3 with the signatures that it made before 2014 and still makes for `signature_version='s3'`.

Usage: sigv2_suite.py ENDPOINT BUCKET; credentials come from the environment. Prints one JSON line a step, and ends at
the first that fails.
"""

import json
import sys
import urllib.request
from urllib.error import HTTPError

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, BUCKET = sys.argv[1:]
BODY = bytes(range(256)) * 300
KEY = 'dir/a b+ü~.bin'

client = boto3.client(
    's3',
    endpoint_url=ENDPOINT,
    config=Config(signature_version='s3', s3={'addressing_style': 'path'}, retries={'max_attempts': 0}),
)


def step(name, value=True):
    print(json.dumps({'step': name, 'value': value}), flush=True)


def refused(call):
    try:
        call()
    except ClientError as error:
        return [error.response['ResponseMetadata']['HTTPStatusCode'], error.response['Error']['Code']]
    except HTTPError as error:
        return [error.code, error.read().decode().split('<Code>')[1].split('</Code>')[0]]
    return None


def send(method, url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request) as answer:
        return answer.read(), dict(answer.headers)


def presigned(operation, seconds=60, **params):
    return client.generate_presigned_url(operation, {'Bucket': BUCKET, 'Key': KEY, **params}, ExpiresIn=seconds)


if refused(lambda: client.list_buckets()) is not None:
    step('refused', refused(lambda: client.list_buckets()))
    answer = refused(lambda: send('GET', presigned('get_object')))
    if answer != [404, 'NoSuchKey']:
        step('presigned refused', answer)
    sys.exit()

client.put_object(Bucket=BUCKET, Key=KEY, Body=BODY, ContentType='text/x-note', Metadata={'note': 'a, b'})
answer = client.get_object(Bucket=BUCKET, Key=KEY)
step('object', [answer['Body'].read() == BODY, answer['ContentType'], answer['Metadata']])
step('range', client.get_object(Bucket=BUCKET, Key=KEY, Range='bytes=1-3')['Body'].read() == BODY[1:4])
step('listings', [
    [entry['Size'] for entry in listing(Bucket=BUCKET, Prefix='dir/')['Contents']]
    for listing in (client.list_objects, client.list_objects_v2)
])
step('versions', len(client.list_object_versions(Bucket=BUCKET)['Versions']))
client.put_object_tagging(Bucket=BUCKET, Key=KEY, Tagging={'TagSet': [{'Key': 'k', 'Value': 'v'}]})
step('tags', client.get_object_tagging(Bucket=BUCKET, Key=KEY)['TagSet'])
step('location', client.get_bucket_location(Bucket=BUCKET)['LocationConstraint'])

body, headers = send('GET', presigned('get_object', ResponseContentDisposition='attachment; filename="a&b.txt"'))
step('presigned GET', [body == BODY, headers['Content-Disposition']])
step('presigned HEAD', send('HEAD', presigned('head_object'))[1]['Content-Length'])
url = presigned('put_object', ContentType='text/csv', Metadata={'note': 'presigned'})
send('PUT', url, b'a,b', {'Content-Type': 'text/csv'})
answer = client.get_object(Bucket=BUCKET, Key=KEY)
step('presigned PUT', [answer['Body'].read().decode(), answer['ContentType'], answer['Metadata']])
tags, _ = send('GET', presigned('get_object_tagging'))
step('presigned tags', b'<TagSet' in tags)

step('another content type', refused(lambda: send('PUT', url, b'x', {'Content-Type': 'text/html'})))
step('another key', refused(lambda: send('GET', presigned('get_object').replace('.bin', '.bim'))))
step('an added selector', refused(lambda: send('PUT', presigned('put_object') + '&retention', b'<Retention/>')))
step('expired', refused(lambda: send('GET', presigned('get_object', seconds=-1))))
client.delete_objects(Bucket=BUCKET, Delete={'Objects': [{'Key': KEY}]})
step('deleted', refused(lambda: client.get_object(Bucket=BUCKET, Key=KEY)))
