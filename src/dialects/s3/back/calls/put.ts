import type { HeadCall } from '../../../backend-calls.ts';
import type { StoredAck, StorePut } from '../../../store-exchange.ts';
import { readAck } from '../answer-head.ts';
import { setsLock, withChecksum } from '../checksum-headers.ts';
import { addEncryption } from '../encryption-headers.ts';
import { addEtagConditions, isUnconditional, metadataHeaders } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** PutObject. */
export const put = {
  takes: 'nothing',
  render({ ref, metadata, conditions, body, encryption }) {
    const headers = metadataHeaders(metadata);
    addEncryption(headers, encryption);
    addEtagConditions(headers, conditions);
    const sent = setsLock(headers) ? withChecksum(body, headers) : body;
    return { method: 'PUT', path: objectPath(ref), headers, body: sent, idempotent: isUnconditional(conditions) };
  },
  read: readAck,
} satisfies HeadCall<StorePut, StoredAck>;
