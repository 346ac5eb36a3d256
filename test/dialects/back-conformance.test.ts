import { DeleteBucketCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { BACKENDS } from '../../src/dialects/table.ts';
import { startDevstore } from '../devstore/started.ts';
import { backConformance } from './back-conformance.ts';

const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`;

it('every backend of the table is held to what follows', () => {
  expect(Object.values(BACKENDS)).toEqual([s3Back]);
});

backConformance({
  back: s3Back,
  async start() {
    const { url, stop, client } = await startDevstore();
    await client.send(new DeleteBucketCommand({ Bucket: 'box' }));
    return { connect: { endpoint: new URL(url) }, stop };
  },
  refusals: [
    [404, error('NoSuchKey'), 'NoSuchKey'],
    [404, error('NoSuchBucket'), 'NoSuchBucket'],
    [404, error('NoSuchUpload'), 'NoSuchUpload'],
    [409, error('BucketNotEmpty'), 'BucketNotEmpty'],
    [403, error('AccessDenied'), 'AccessDenied'],
    [400, error('RuleOfItsOwn'), 'BackendRefused'],
    [503, error('SlowDown'), 'SlowDown'],
    [403, error('SignatureDoesNotMatch'), 'BackendError'],
  ],
  badKey: [403, error('InvalidAccessKeyId')],
});
