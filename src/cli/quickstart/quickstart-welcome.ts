import type { Connection } from './quickstart-folder.ts';

const SHOWN_BYTES = 24;
/** A part's header is in clear (FORMAT.md §4); the sealed bytes begin behind it. */
const PART_HEADER_BYTES = 64;

/** The sample object, as the client sees it and as the backend holds it. */
export interface Sample {
  readonly key: string;
  readonly plaintext: Buffer;
  readonly stored: Buffer;
}

export interface Welcome {
  readonly connection: Connection;
  readonly sample: Sample;
  readonly folder: string;
  readonly firstStart: boolean;
  readonly program: string;
  readonly tenant: string;
  readonly configFile: string;
}

/** Renders what quickstart prints once it serves. */
export function welcomeText(welcome: Welcome): string {
  const { connection, folder, firstStart } = welcome;
  return [
    '',
    'Sealgate runs. FOR TRYING, NOT FOR PRODUCTION: one process, no TLS, and the root key lies beside the data in',
    `${folder}${firstStart ? '' : ' (found as it was left)'}.`,
    '',
    `  endpoint    ${connection.endpoint}`,
    `  region      ${connection.region}`,
    `  access key  ${connection.accessKeyId}`,
    `  secret      ${connection.secretAccessKey}`,
    `  bucket      ${connection.bucket}`,
    '',
    ...sampleLines(welcome),
    '',
    ...exampleLines(welcome),
    '',
    `Metrics and health: ${connection.admin}/metrics, /healthz, /readyz`,
    `Tenants and keys:   ${welcome.program} tenant list --config ${shellWord(welcome.configFile)}`,
    'gsutil, rclone and Libcloud compare ETags with MD5s, and call uploads failed until their bucket has MD5s as ' +
      'ETags:',
    `  ${welcome.program} tenant set ${welcome.tenant} --bucket '${connection.bucket}:etag=md5' --config ` +
      `${shellWord(welcome.configFile)}`,
    'Ctrl-C stops.',
  ].join('\n');
}

function sampleLines({ sample, connection }: Welcome): string[] {
  const { key, plaintext, stored } = sample;
  const sealed = stored.subarray(PART_HEADER_BYTES);
  return [
    `The object ${connection.bucket}/${key}, twice:`,
    `  the client sees    ${hexLine(plaintext)}  (${plaintext.length} bytes)`,
    `  the backend holds  ${hexLine(sealed)}  (${stored.length} bytes, these from byte ${PART_HEADER_BYTES})`,
  ];
}

/** Renders bytes as `48 65 6c 6c 6f  |Hello|`. */
export function hexLine(bytes: Buffer): string {
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const hex = shown.toString('hex').replace(/../g, '$& ').trimEnd();
  const text = shown.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
  return `${hex.padEnd(SHOWN_BYTES * 3 - 1)}  |${text}|`;
}

function exampleLines({ connection, sample }: Welcome): string[] {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = connection;
  const object = `${bucket}/${sample.key}`;
  return [
    'aws-cli:',
    `  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=${region}`,
    `  aws --endpoint-url ${endpoint} s3 cp s3://${object} -`,
    `  aws --endpoint-url ${endpoint} s3 cp README.md s3://${bucket}/`,
    '',
    'curl:',
    // curl 8 adds this header itself; curl 7, which Debian 12 has, does not.
    `  curl --aws-sigv4 aws:amz:${region}:s3 --user ${accessKeyId}:${secretAccessKey} \\`,
    `    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' ${endpoint}/${object}`,
    '',
    'AWS SDK for JavaScript:',
    '  new S3Client({',
    `    endpoint: '${endpoint}', region: '${region}', forcePathStyle: true,`,
    `    credentials: { accessKeyId: '${accessKeyId}', secretAccessKey: '${secretAccessKey}' },`,
    '  })',
  ];
}

function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
