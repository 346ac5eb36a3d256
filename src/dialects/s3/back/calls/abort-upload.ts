import type { HeadCall, StoreUpload } from '../../../backend-calls.ts';
import { bodiless, objectPath } from '../request.ts';

/** AbortMultipartUpload. */
export const abortUpload = {
  takes: 'nothing',
  render: ({ ref, uploadId }) => bodiless('DELETE', objectPath(ref, [['uploadId', uploadId]])),
  read: () => undefined,
} satisfies HeadCall<StoreUpload, void>;
