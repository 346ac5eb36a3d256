/**
 * Returns a maker of request ids: sixteen hex digits, a random beginning for this process and a counter behind it. They
 * are unique without a random number for each request, and the ids of one process sort by time in the log.
 */
export function createRequestIds(randomBytes: (bytes: number) => Buffer): () => string {
  const beginning = randomBytes(4).toString('hex').toUpperCase();
  let count = randomBytes(4).readUInt32BE(0);
  return () => {
    count = (count + 1) >>> 0;
    return beginning + count.toString(16).toUpperCase().padStart(8, '0');
  };
}
