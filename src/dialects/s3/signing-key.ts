import { createHmac } from 'node:crypto';
import type { SigningSecret } from '../dialect.ts';

/** What a SigV4 signature is good for: `<yyyymmdd>/<region>/<service>/aws4_request`. */
export interface SigningScope {
  /** yyyymmdd. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function scopeText(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/**
 * A presigned URL lives seven days at most and a gateway has one region, so a secret in use has a handful of scopes.
 * The bound holds whoever calls.
 */
const MAX_SCOPES_PER_SECRET = 16;

const cache = new WeakMap<SigningSecret, Map<string, Buffer>>();

/**
 * The SigV4 signing key, derived once per secret and scope (four HMACs). The cache goes when the secret goes. Check
 * the scope before asking: deriving for what a stranger wrote costs CPU.
 */
export function signingKey(secret: SigningSecret, scope: SigningScope): Buffer {
  const text = scopeText(scope);
  let keys = cache.get(secret);
  if (keys === undefined) {
    keys = new Map();
    cache.set(secret, keys);
  }
  let key = keys.get(text);
  if (key === undefined) {
    key = deriveSigningKey(secret, scope);
    if (keys.size >= MAX_SCOPES_PER_SECRET) keys.clear();
    keys.set(text, key);
  }
  return key;
}

function deriveSigningKey(secret: SigningSecret, scope: SigningScope): Buffer {
  const dateKey = hmac(Buffer.from(`AWS4${secret.reveal()}`, 'utf8'), scope.date);
  return hmac(hmac(hmac(dateKey, scope.region), scope.service), 'aws4_request');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
