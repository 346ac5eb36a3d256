/** The longest id of a key (AWS KMS API reference, "KeyId"). Buckets' defaults keep ids as they were sent. */
const MOST_CHARACTERS = 2048;

/**
 * Reads the name of a key in what a client sent as the id of a KMS key: the name itself, `alias/NAME`, or the ARN of a
 * key or an alias of any account and region (AWS KMS, "Key identifiers"). That there is such a key is not said.
 * @returns undefined for an ARN of something else, and for what is too long
 */
export function keyNameIn(keyId: string): string | undefined {
  if (keyId.length > MOST_CHARACTERS) return undefined;
  if (!keyId.startsWith('arn:')) return withoutPrefix(keyId, 'alias/') ?? keyId;
  // arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE
  const [, , service, , , ...resource] = keyId.split(':');
  if (service !== 'kms') return undefined;
  const named = resource.join(':');
  return withoutPrefix(named, 'key/') ?? withoutPrefix(named, 'alias/');
}

function withoutPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
