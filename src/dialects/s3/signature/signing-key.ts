import { hash } from 'node:crypto';
import type { SigningSecret } from '../../signing-secret.ts';

/** The scope of a Version 4 signature, which is written `<yyyymmdd>/<region>/<service>/aws4_request`. */
export interface SigningScope {
  /** The day, in the form yyyymmdd. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** Writes a scope as it stands in the string to sign. */
export function scopeText(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/**
 * How many keys are kept for a secret. A few suffice, because a presigned URL is valid for seven days at most, and
 * clients name few regions.
 */
const MAX_SCOPES_PER_SECRET = 16;

const cache = new WeakMap<SigningSecret, Map<string, SigningKey>>();

/**
 * Returns the signing key for a secret and a scope. It is derived with four HMACs, and kept as long as the secret
 * exists. Check the scope before the call, so that strangers cannot make the gateway derive keys.
 */
export function signingKey(secret: SigningSecret, scope: SigningScope): SigningKey {
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

function deriveSigningKey(secret: SigningSecret, scope: SigningScope): SigningKey {
  const root = new SigningKey(Buffer.from(`AWS4${secret.reveal()}`, 'utf8'));
  return [scope.date, scope.region, scope.service, 'aws4_request'].reduce(
    (key, text) => new SigningKey(Buffer.from(key.sign(text), 'hex')),
    root,
  );
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * Computes HMAC-SHA-256 (RFC 2104) with a key that is used many times. It uses node's one-shot `hash`, because
 * `createHmac` makes a key object on each call, which costs several times as much as the hashing.
 */
export class SigningKey {
  readonly #innerPad: Buffer;
  /** The outer pad, followed by space for the inner digest. */
  readonly #outer: Buffer;

  constructor(key: Buffer) {
    const block = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    this.#innerPad = Buffer.alloc(BLOCK_BYTES, 0x36);
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
    for (const [at, byte] of block.entries()) {
      this.#innerPad[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** Returns the HMAC, in hex, of a text's latin1 bytes. */
  sign(text: string): string {
    const inner = Buffer.allocUnsafe(BLOCK_BYTES + text.length);
    this.#innerPad.copy(inner);
    inner.write(text, BLOCK_BYTES, 'latin1');
    this.#outer.write(hash('sha256', inner, 'hex'), BLOCK_BYTES, 'hex');
    return hash('sha256', this.#outer, 'hex');
  }
}
