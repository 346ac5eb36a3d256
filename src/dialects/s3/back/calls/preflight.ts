import type { Resource } from '../../../../operations/object.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { AnswerHead, HeadCall } from '../../../backend-calls.ts';
import { bucketPath, objectPath } from '../request.ts';

/** A segment that some server on the way would resolve: to another bucket's path, or to the store's administration. */
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * The preflight of a browser. It goes out without a query: rules are by bucket, origin and method, and the query of a
 * presigned URL is a secret.
 */
export const preflight = {
  takes: 'nothing',
  render({ bucket, key, question }) {
    const ofBucket = bucket === undefined ? '/' : bucketPath(bucket);
    const path =
      bucket === undefined || key === undefined || DOT_SEGMENT.test(key) ? ofBucket : objectPath({ bucket, key });
    return { method: 'OPTIONS', path, headers: question.clone(), body: undefined, idempotent: true };
  },
  read: ({ status, headers }) => ({ status, headers }),
} satisfies HeadCall<Resource & { readonly question: HeaderList }, AnswerHead>;
