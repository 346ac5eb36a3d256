import { formatIsoDate } from '../wire/dates.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { readXml, XML_DECLARATION, xmlElement, xmlEscape, xmlText } from '../wire/xml/xml.ts';
import { readDocument } from './body.ts';
import { bucketOf, type Call, noContent, S3_NAMESPACE, xmlAnswer } from './call.ts';

const MAX_CONFIGURATION_BYTES = 64 * 1024;

export async function listBuckets({ store }: Call): Promise<WireResponse> {
  const buckets = store.buckets().map(({ record }) => {
    const created = xmlElement('CreationDate', formatIsoDate(new Date(record.createdMs)));
    return `<Bucket>${xmlElement('Name', record.name)}${created}</Bucket>`;
  });
  return xmlAnswer(
    'ListAllMyBucketsResult',
    `<Owner><ID>devstore</ID><DisplayName>devstore</DisplayName></Owner><Buckets>${buckets.join('')}</Buckets>`,
  );
}

export async function createBucket(call: Call): Promise<WireResponse> {
  const document = await readDocument(call.request, MAX_CONFIGURATION_BYTES);
  const region = document.length === 0 ? '' : (xmlText(readXml(document), 'LocationConstraint') ?? '');
  await call.store.createBucket(call.bucketName, { createdMs: call.now.getTime(), region });
  return { status: 200, headers: HeaderList.of([['Location', `/${call.bucketName}`]]), body: undefined };
}

export async function headBucket(call: Call): Promise<WireResponse> {
  const { region } = bucketOf(call).record;
  const headers = HeaderList.of([['x-amz-bucket-region', region === '' ? 'us-east-1' : region]]);
  return { status: 200, headers, body: undefined };
}

export async function deleteBucket(call: Call): Promise<WireResponse> {
  await call.store.deleteBucket(call.bucketName);
  return noContent();
}

export async function bucketLocation(call: Call): Promise<WireResponse> {
  const { region } = bucketOf(call).record;
  const text = `${XML_DECLARATION}<LocationConstraint xmlns="${S3_NAMESPACE}">${xmlEscape(region)}</LocationConstraint>`;
  return { status: 200, headers: HeaderList.of([['Content-Type', 'application/xml']]), body: Buffer.from(text) };
}

/** Clients ask before they list versions: there are none, and never were. */
export async function bucketVersioning(call: Call): Promise<WireResponse> {
  bucketOf(call);
  return xmlAnswer('VersioningConfiguration', '');
}
