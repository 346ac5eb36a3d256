import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { readXml, xmlChild, xmlChildren, xmlElement, xmlText } from '../wire/xml/xml.ts';
import { readDocument } from './body.ts';
import { noSuchKey } from './bucket.ts';
import { bucketOf, type Call, checkVersionId, noContent, xmlAnswer } from './call.ts';
import { checkTags } from './description.ts';
import type { Entry } from './record.ts';

const MAX_TAGGING_BYTES = 64 * 1024;

/** The subresource that stands for all those a gateway forwards. */
export async function getTagging(call: Call): Promise<WireResponse> {
  checkVersionId(call.request.query.get('versionId'));
  const record = bucketOf(call).find(call.key);
  if (record === undefined) throw noSuchKey(call.key);
  const tags = record.tags.map(([key, value]) => `<Tag>${xmlElement('Key', key)}${xmlElement('Value', value)}</Tag>`);
  return xmlAnswer('Tagging', `<TagSet>${tags.join('')}</TagSet>`);
}

export async function putTagging(call: Call): Promise<WireResponse> {
  checkVersionId(call.request.query.get('versionId'));
  const document = readXml(await readDocument(call.request, MAX_TAGGING_BYTES));
  const set = xmlChild(document, 'TagSet');
  const tags = (set === undefined ? [] : xmlChildren(set, 'Tag')).map(
    (tag): Entry => [xmlText(tag, 'Key') ?? '', xmlText(tag, 'Value') ?? ''],
  );
  await bucketOf(call).setTags(call.key, checkTags(tags));
  return { status: 200, headers: new HeaderList(), body: undefined };
}

export async function deleteTagging(call: Call): Promise<WireResponse> {
  checkVersionId(call.request.query.get('versionId'));
  await bucketOf(call).setTags(call.key, []);
  return noContent();
}
