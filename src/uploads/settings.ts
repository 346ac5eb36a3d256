import { z } from 'zod';
import { setting } from '../settings/forms/setting.ts';
import { integer, matching, seconds } from '../settings/forms/values.ts';

const bucketName = matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name in lower case');

/** The section of the settings about multipart uploads. */
export const uploadSettings = z.strictObject({
  keepSeconds: setting(
    seconds({ min: 60, max: 31_536_000 }),
    'How long a multipart upload that nobody adds to can be continued.',
  ).prefault(604_800),
  openPerTenant: setting(
    integer({ min: 1, max: 10_000_000 }),
    'Multipart uploads that one tenant may have open; past it CreateMultipartUpload is refused (QuotaExceeded). ' +
      'Their state lies in the key store: 0.3 KB each and 0.1 KB a part.',
  ).prefault(10_000),
  stagingBucket: setting(
    bucketName,
    'The gateway’s own bucket in the backend, for parts smaller than the backend takes. No client reaches it. ' +
      'Made when it is first needed. One for each key store: its name has part of the root key’s id in it, ' +
      'since all customers of AWS share the names of buckets.',
    { defaultText: 'sealgate-staging-, 16 digits' },
  ).optional(),
});
