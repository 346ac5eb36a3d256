import { z } from 'zod';
import { setting } from '../settings/forms/setting.ts';
import { seconds } from '../settings/forms/values.ts';

/** The section of the settings about the index of MD5 ETags. */
export const etagSettings = z.strictObject({
  keepSeconds: setting(
    seconds({ min: 60, max: 31_536_000 }),
    'In buckets with MD5 ETags: how long the index in Redis keeps the ETag of an object that nobody asks about.',
  ).prefault(2_592_000),
});
