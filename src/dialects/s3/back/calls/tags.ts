import type { ObjectRef, Tag } from '../../../../operations/object.ts';
import { xmlChild, xmlChildren, xmlText } from '../../../../wire/xml/xml.ts';
import type { DocumentCall } from '../../../backend-calls.ts';
import { readDocument } from '../answer-document.ts';
import { unusable } from '../answer-head.ts';
import { bodiless, objectPath } from '../request.ts';

/** GetObjectTagging. */
export const tags = {
  takes: 'document',
  render: ({ ref }) =>
    bodiless(
      'GET',
      objectPath(ref, [
        ['tagging', ''],
        ['versionId', ref.versionId],
      ]),
    ),
  read(document) {
    if (document.length === 0) return []; // Ceph RGW sends no document for an object without tags.
    const set = xmlChild(readDocument(document, 'Tagging'), 'TagSet');
    return (set === undefined ? [] : xmlChildren(set, 'Tag')).map((tag): Tag => {
      const name = xmlText(tag, 'Key');
      if (name === undefined) throw unusable('has a tag without a name');
      return [name, xmlText(tag, 'Value') ?? ''];
    });
  },
} satisfies DocumentCall<{ readonly ref: ObjectRef }, readonly Tag[]>;
