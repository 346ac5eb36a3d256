import { get, list, put, type Scenario, type Step, type StepSignature } from '../../support/conformance/scenario.ts';

const DAY_SECONDS = 86_400;

/** Wrong in one way each. */
const WRONG: readonly (readonly [string, StepSignature])[] = [
  ['another secret', { secretAccessKey: 'not the secret of anybody' }],
  ['an unknown access key', { accessKeyId: 'AKIDNOBODYNOBODY0001' }],
  ['another region', { region: 'eu-north-1' }],
  ['another service', { service: 'iam' }],
  ['yesterday', { ageSeconds: DAY_SECONDS }],
  ['tomorrow', { ageSeconds: -DAY_SECONDS }],
  ['a changed signature', { forged: { from: /Signature=.{16}/, to: 'Signature=0123456789abcdef' } }],
  ['another algorithm', { forged: { from: /AWS4-HMAC-SHA256/, to: 'AWS4-HMAC-SHA999' } }],
  ['no signed headers', { forged: { from: /SignedHeaders=/, to: 'SignedHeaders=;' } }],
  ['no credential', { forged: { from: /Credential=/, to: 'Credentials=' } }],
];

export const SIGNATURES: readonly Scenario[] = [
  {
    name: 'signatures',
    steps: [
      put('put', 'k', 'x'),
      ...WRONG.flatMap(([name, signed]): Step[] => [
        get(`get by ${name}`, 'k', { signed }),
        put(`put by ${name}`, 'wrong', 'y', { signed }),
        list(`list by ${name}`, { 'list-type': '2' }, { signed }),
        get(`get presigned by ${name}`, 'k', { signed: { expiresSeconds: 300, ...signed } }),
      ]),
      get('what they left', 'wrong'),
      get('get presigned', 'k', { signed: { expiresSeconds: 60 } }),
      put('put presigned', 'presigned', 'by URL', { signed: { expiresSeconds: 60 } }),
      get('what was put', 'presigned'),
      get('get presigned too long ago', 'k', { signed: { expiresSeconds: 60, ageSeconds: 120 } }),
      get('get presigned for no time', 'k', {
        signed: { expiresSeconds: 60, forged: { from: /Expires=60/, to: 'Expires=0' } },
      }),
      get('get presigned for too long', 'k', {
        signed: { expiresSeconds: 60, forged: { from: /Expires=60/, to: `Expires=${8 * DAY_SECONDS}` } },
      }),
      get('get presigned for another key', 'other', {
        signed: { expiresSeconds: 60, forged: { from: /\/other/, to: '/k' } },
      }),
      get('get by nobody', 'k', { signed: { anonymous: true } }),
      put('put by nobody', 'k', 'x', { signed: { anonymous: true } }),
      list('list by nobody', { 'list-type': '2' }, { signed: { anonymous: true } }),
      { name: 'buckets of nobody', method: 'GET', bucket: '', signed: { anonymous: true } },
    ],
  },
];
