import type { RequestRecord } from '../../src/telemetry/request-record.ts';

/** A small download that went well, but for what a test changes. */
export function record(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'ABCDEF0123456789',
    method: 'GET',
    dialect: 's3',
    operation: 'GetObject',
    tenant: 'acme',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    bucket: 'acme-photos',
    key: 'holiday/1.jpg',
    client: '203.0.113.9',
    status: 200,
    bytesIn: 0,
    bytesOut: 4096,
    seconds: 0.0123,
    firstByteSeconds: 0.01,
    sealSeconds: 0,
    openSeconds: 0.0002,
    outcome: 'complete',
    errorCode: undefined,
    errorSource: undefined,
    error: undefined,
    hint: undefined,
    rule: undefined,
    warnings: undefined,
    lostEnvelopes: 0,
    unprotected: 0,
    ...changes,
  };
}
