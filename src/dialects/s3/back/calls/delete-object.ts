import type { HeadCall, StoreDelete } from '../../../backend-calls.ts';
import type { StoredDeletion } from '../../../store-exchange.ts';
import { vendorHeadersFor } from '../../../vendor-headers.ts';
import { readHead } from '../answer-head.ts';
import { addEtagConditions, isUnconditional } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** DeleteObject. */
export const deleteObject = {
  takes: 'nothing',
  render({ ref, conditions, vendor }) {
    const headers = vendorHeadersFor('s3', vendor);
    addEtagConditions(headers, conditions);
    const path = objectPath(ref, [['versionId', ref.versionId]]);
    return { method: 'DELETE', path, headers, body: undefined, idempotent: isUnconditional(conditions) };
  },
  read({ headers }) {
    const { versionId, deleteMarker } = readHead(headers);
    return { versionId, deleteMarker };
  },
} satisfies HeadCall<StoreDelete, StoredDeletion>;
