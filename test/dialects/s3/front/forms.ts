import { createHmac } from 'node:crypto';
import { ACCESS_KEY_ID, NOW, SECRET, SETTINGS } from '../signature/signing.ts';

/** Forms as a page would have them, signed from S3's documentation, apart from the code that verifies them. */

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly date: Date;
  readonly region?: string;
}

export const SIGNER: Signer = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET.reveal(), date: NOW };

export type Conditions = readonly unknown[];

/** The fields that prove a policy of these conditions; those of the signature itself are added to it. */
export function signedFields(
  conditions: Conditions,
  options: {
    readonly as?: Signer;
    readonly expiration?: string;
    /** In place of the whole policy document. */
    readonly document?: string;
  } = {},
): Fields {
  const { as = SIGNER } = options;
  const { time, scope } = whenAndWhere(as);
  const own: Fields = [
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', `${as.accessKeyId}/${scope}`],
    ['x-amz-date', time],
  ];
  const expiration = options.expiration ?? new Date(as.date.getTime() + 60_000).toISOString();
  const all = [...conditions, ...own.map(([name, value]) => ({ [name]: value }))];
  const policy = Buffer.from(options.document ?? JSON.stringify({ expiration, conditions: all })).toString('base64');
  return [...own, ['policy', policy], ['x-amz-signature', policySignature(policy, as)]];
}

function whenAndWhere({ date, region = SETTINGS.region }: Signer): { readonly time: string; readonly scope: string } {
  const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
  return { time, scope: `${time.slice(0, 8)}/${region}/s3/aws4_request` };
}

export function policySignature(policy: string, as: Signer = SIGNER): string {
  const key = whenAndWhere(as)
    .scope.split('/')
    .reduce<Buffer>(
      (parent, text) => createHmac('sha256', parent).update(text).digest(),
      Buffer.from(`AWS4${as.secretAccessKey}`),
    );
  return createHmac('sha256', key).update(policy).digest('hex');
}

export const BOUNDARY = 'formboundaryformboundary';

/** The body of a form: fields, the file, and what stands behind it. */
export function formBody(
  fields: Fields,
  file: Buffer,
  more: { readonly fileName?: string; readonly after?: Fields; readonly fileField?: string } = {},
): Buffer {
  const field = ([name, value]: readonly [string, string]) =>
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  const { fileName = 'photo.jpg', after = [], fileField = 'file' } = more;
  return Buffer.concat([
    ...fields.map(field),
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${fileField}"; filename="${fileName}"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    file,
    Buffer.from('\r\n'),
    ...after.map(field),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
}

export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
