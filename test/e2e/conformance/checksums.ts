import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { get, head, put, type Scenario } from '../../support/conformance/scenario.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
const sha1 = (text: string) => createHash('sha1').update(text).digest('base64');
const crc = (text: string) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
};
const CRC64NVME_OF_CHECKED = '51m+DUA5iNg=';
const ENABLED = { headers: { 'x-amz-checksum-mode': 'ENABLED' } };
const TRAILED = 'trailed';

export const CHECKSUMS: readonly Scenario[] = [
  {
    name: 'checksums',
    steps: [
      put('CRC32', 'crc32', 'checked', { headers: { 'x-amz-checksum-crc32': crc('checked') } }),
      get('get CRC32', 'crc32', ENABLED),
      head('head CRC32', 'crc32', ENABLED),
      get('get CRC32 without asking', 'crc32'),
      get('get a range of CRC32', 'crc32', { headers: { ...ENABLED.headers, range: 'bytes=1-2' } }),
      put('SHA-256', 'sha256', 'checked', { headers: { 'x-amz-checksum-sha256': sha256('checked') } }),
      get('get SHA-256', 'sha256', ENABLED),
      put('SHA-1', 'sha1', 'checked', { headers: { 'x-amz-checksum-sha1': sha1('checked') } }),
      head('head SHA-1', 'sha1', ENABLED),
      put('CRC64NVME', 'crc64nvme', 'checked', { headers: { 'x-amz-checksum-crc64nvme': CRC64NVME_OF_CHECKED } }),
      get('get CRC64NVME', 'crc64nvme', ENABLED),
      put('wrong CRC32', 'wrong', 'checked', { headers: { 'x-amz-checksum-crc32': crc('other') } }),
      put('wrong SHA-256', 'wrong', 'checked', { headers: { 'x-amz-checksum-sha256': sha256('other') } }),
      put('no checksum', 'wrong', 'checked', { headers: { 'x-amz-checksum-crc32': 'nonsense' } }),
      put('two checksums', 'wrong', 'checked', {
        headers: { 'x-amz-checksum-crc32': crc('checked'), 'x-amz-checksum-sha1': sha1('checked') },
      }),
      get('what wrong ones left', 'wrong'),
      put('in a trailer', 'trailer', trailed(crc(TRAILED)), trailer()),
      get('get of a trailer', 'trailer', ENABLED),
      put('wrong in a trailer', 'wrong', trailed(crc('other')), trailer()),
      get('what the wrong trailer left', 'wrong'),
    ],
  },
];

function trailed(checksum: string): string {
  return `${TRAILED.length.toString(16)}\r\n${TRAILED}\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`;
}

function trailer() {
  return {
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(TRAILED.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    },
  };
}
