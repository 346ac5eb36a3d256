import { z } from 'zod';
import { BACKENDS, type BackendTable } from '../dialects/table.ts';
import { needs, oneOf, type SettingRule, together } from '../settings/forms/rules.ts';
import { setting } from '../settings/forms/setting.ts';
import {
  choice,
  flag,
  integer,
  listOf,
  matching,
  originUrl,
  path,
  pemFile,
  pemKeyFile,
  regionName,
  seconds,
  secret,
  textOrFile,
} from '../settings/forms/values.ts';

/** What the embedded store speaks, and most stores. */
const EMBEDDED_DIALECT = 's3';

const reservedBucket = matching(/^[a-z0-9._-]{1,63}$/, 'a bucket name in lower case');

/** The default of settings whose value the gateway finds out from its store (docs/stores.md). */
const FOUND_OUT = 'found out';

const backendTls = z.strictObject({
  ca: setting(pemFile, 'Certificates that vouch for the backend, instead of the system’s.').optional(),
  cert: setting(pemFile, 'Client certificate shown to the backend.').optional(),
  key: setting(pemKeyFile, 'Key of the client certificate.').optional(),
});

/**
 * The store behind the gateway.
 * @param dialects that it may speak
 */
export function backendSettings(dialects: BackendTable = BACKENDS) {
  return z.strictObject({
    endpoint: setting(originUrl, 'The S3-compatible store that holds the objects.').optional(),
    directory: setting(
      path,
      'Instead of an endpoint: a folder in which the embedded store keeps objects. For trying, not for production.',
    ).optional(),
    dialect: setting(
      choice(...Object.keys(dialects)),
      'The dialect that the backend speaks. The embedded store speaks s3.',
    ).prefault(EMBEDDED_DIALECT),
    region: setting(regionName, 'Region that requests to the backend are signed for.').prefault('us-east-1'),
    credentials: z
      .strictObject({
        accessKeyId: setting(textOrFile, 'The gateway’s own access key at the backend.').optional(),
        secretAccessKey: setting(secret, 'Secret of that access key.').optional(),
      })
      .prefault({}),
    connections: setting(
      integer({ min: 1, max: 65_535 }),
      'Connections to the backend at most, each worker, for each of downloads, small uploads, large uploads and ' +
        'everything else. One tenant has four fifths of them at most; slow downloads give way to whoever waits.',
    ).prefault(256),
    connectSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for a connection.').prefault(5),
    headersSeconds: setting(
      seconds({ min: 0.1, max: 3600 }),
      'Longest wait for the head of an answer, once the request was sent.',
    ).prefault(60),
    idleSeconds: setting(seconds({ min: 0.1, max: 3600 }), 'Longest pause within an answer’s body.').prefault(60),
    keepAliveSeconds: setting(
      seconds({ min: 0.1, max: 3600 }),
      'How long an idle connection is kept. Shorter than the backend’s own, so that it never closes first.',
    ).prefault(4),
    retries: setting(
      integer({ min: 0, max: 10 }),
      'Further attempts, with jitter, for an idempotent request of whose body no byte was consumed.',
    ).prefault(2),
    conditionalDeletes: setting(
      flag(),
      'Overrides what the gateway finds out: the backend holds to If-Match on deletions, as AWS S3 does. MinIO does ' +
        'not, and deletes whatever lies there: set to false, conditional deletions are refused.',
      { defaultText: FOUND_OUT },
    ).optional(),
    conditionalUploads: setting(
      flag(),
      'Overrides what the gateway finds out: the backend holds to If-Match and If-None-Match on PUT and ' +
        'CompleteMultipartUpload, as AWS S3 and MinIO do. Ceph RGW 16 does not, and replaces what lies there: set to ' +
        'false, conditional multipart uploads are refused, and so are conditional copies and conditional uploads of ' +
        'unknown length that turn out large.',
      { defaultText: FOUND_OUT },
    ).optional(),
    careful: setting(
      flag(),
      'Overrides what the gateway finds out: the backend keeps what came of an upload that broke off, in place of ' +
        'what lay there, or acknowledges a multipart upload that it did not complete (Versity S3 Gateway 1.8). Set ' +
        'to true, uploads of more than 128 KiB reach it in pieces of 8 MiB, each whole, and what a client’s Complete ' +
        'made is looked at.',
      { defaultText: FOUND_OUT },
    ).optional(),
    keys: setting(
      choice('paths', 'names'),
      'Overrides what the gateway finds out: what keys are to the backend. paths: names of files, as with MinIO and ' +
        'Versity S3 Gateway; keys with . or .. or nothing between slashes are refused, since they would name other ' +
        'files, and /a and a are one object. names: kept as they are, as with AWS S3 and Ceph RGW; all keys pass, ' +
        'and /a and a are two objects.',
      { defaultText: FOUND_OUT },
    ).optional(),
    reservedBuckets: setting(
      listOf(reservedBucket),
      'Buckets that the backend has for itself, such as its administration: no tenant reaches them, whatever its ' +
        'patterns.',
    ).prefault(['minio', 'rustfs', 'admin', 'swift']),
    tls: backendTls.prefault({}),
  });
}

/** Rules between several settings of `backend`. */
export const BACKEND_RULES: readonly SettingRule[] = [
  oneOf(['backend.endpoint', 'backend.directory'], 'Say where the objects are stored.'),
  together('backend.tls.cert', 'backend.tls.key'),
  needs('backend.endpoint', ['backend.credentials.accessKeyId', 'backend.credentials.secretAccessKey']),
  (given) => {
    const dialect = given.value('backend.dialect') ?? EMBEDDED_DIALECT;
    if (!given.isGiven('backend.directory') || dialect === EMBEDDED_DIALECT) return [];
    const hint = 'Leave it out: the embedded store of backend.directory speaks s3.';
    return [{ setting: 'backend.dialect', problem: 'excludes backend.directory', hint }];
  },
  // Certificates for a connection without TLS have no effect, and whoever set them believes that the connection is
  // encrypted.
  (given) => {
    const endpoint = given.value('backend.endpoint');
    const used = ['ca', 'cert', 'key'].some((name) => given.isGiven(`backend.tls.${name}`));
    if (!used || typeof endpoint !== 'string' || endpoint.startsWith('https:')) return [];
    return [{ setting: 'backend.tls', problem: 'is set, but backend.endpoint is not TLS', expected: 'https://…' }];
  },
];
