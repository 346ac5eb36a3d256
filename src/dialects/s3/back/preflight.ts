import type { Resource } from '../../../operations/object.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../wire/message.ts';
import type { ForStore } from '../../identifiers.ts';
import { bucketPath, objectPath } from './render.ts';

/** What some server on the way would resolve: to another bucket's path, or the store's own administration. */
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Without the query: rules are by bucket, origin and method, and a presigned URL's query is a secret. */
export function renderPreflight({ bucket, key }: ForStore<Resource>, question: HeaderList): OutgoingRequest {
  const ofBucket = bucket === undefined ? '/' : bucketPath(bucket);
  const path =
    bucket === undefined || key === undefined || DOT_SEGMENT.test(key) ? ofBucket : objectPath({ bucket, key });
  return { method: 'OPTIONS', path, headers: question.clone(), body: undefined, idempotent: true };
}
