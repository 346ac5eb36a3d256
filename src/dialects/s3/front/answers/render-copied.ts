import type { ObjectCopied, PartCopied } from '../../../../operations/answer.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { appendVendor } from '../../../vendor-headers.ts';

/** Appends the headers of the answer to CopyObject or UploadPartCopy. */
export function copiedHeaders(answer: ObjectCopied | PartCopied, headers: HeaderList): HeaderList {
  const { sourceVersionId } = answer;
  if (sourceVersionId !== undefined) headers.append('x-amz-copy-source-version-id', sourceVersionId);
  if (answer.kind === 'PartCopied') return headers;
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  appendVendor(headers, answer.vendor, 's3');
  return headers;
}
