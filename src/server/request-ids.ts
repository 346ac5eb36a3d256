/**
 * Request ids: sixteen hex digits, a random beginning for this process and a counter behind it. Unique without a
 * random number a request, and the ids of one process sort by time in the log.
 */
export function createRequestIds(randomBytes: (bytes: number) => Buffer): () => string {
  const beginning = randomBytes(4).toString('hex').toUpperCase();
  let count = randomBytes(4).readUInt32BE(0);
  return () => {
    count = (count + 1) >>> 0;
    return beginning + count.toString(16).toUpperCase().padStart(8, '0');
  };
}
