import type { Resource } from '../../../../operations/object.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { AnswerHead, HeadCall } from '../../../backend-calls.ts';
import { bucketPath, objectPath } from '../request.ts';

/**
 * Finds `.` and `..` in a path. Some server on the way could resolve them, to another bucket or to the store's own API.
 */
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * A browser's CORS preflight (OPTIONS). It is sent without the client's query, because CORS rules do not depend on it,
 * and the query of a presigned URL is a secret.
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
