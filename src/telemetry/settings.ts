import { z } from 'zod';
import { setting } from '../settings/forms/setting.ts';
import { choice } from '../settings/forms/values.ts';

/** The settings of the log. */
export const logSettings = z.strictObject({
  level: setting(choice('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'Least level that is logged.').prefault(
    'info',
  ),
  format: setting(choice('json', 'text'), 'One JSON object a line, or text for people.').prefault('json'),
  keys: setting(
    choice('hashed', 'clear'),
    'How the keys of objects stand in the log: as a hash under a secret of the root key’s, the same in all gateways ' +
      'that have it (`sealgate log hash KEY` tells it), or as they are.',
  ).prefault('hashed'),
});
