import { z } from 'zod';
import { setting } from '../settings/forms/setting.ts';
import { choice } from '../settings/forms/values.ts';
import { keySourceSettings } from './sources/table.ts';

/** Where keys for objects come from, beside the key rings of tenants, which need no settings. */
export const encryptionSettings = z.strictObject(keySourceSettings());

/** How keys are taken that clients send with their requests (SSE-C). */
export const customerKeySettings = z.strictObject({
  overHttp: setting(
    choice('never', 'loopback', 'always'),
    'Whether requests with a customer key (SSE-C) are taken over plain HTTP. loopback: where `listen` and the client ' +
      'are both loopback addresses, as with a sidecar. always: where TLS ends before the gateway, at a proxy that does ' +
      'not say so. Over TLS they always are.',
  ).prefault('never'),
  newBuckets: setting(
    choice('allow', 'block'),
    'Whether buckets that are made from now on take objects under keys of customers (SSE-C). block: not before ' +
      'somebody allows it by PutBucketEncryption with NONE, as AWS has it since April 2026.',
  ).prefault('allow'),
});
