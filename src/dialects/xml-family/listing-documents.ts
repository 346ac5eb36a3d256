import type { ListedObject, ObjectListing, VersionListing } from '../../operations/answer.ts';
import type { Owner } from '../../operations/bucket-answers.ts';
import { percentEncodePath } from '../../wire/percent.ts';
import { xmlElement, xmlEscape } from '../../wire/xml/xml.ts';
import {
  dateText,
  etagElement,
  markerElement,
  opening,
  storageClassElement,
  type XmlVocabulary,
} from './xml-vocabulary.ts';

/**
 * The answer to ListObjects, piece by piece. Listings are the largest documents, so their text is put together
 * directly, without a tree of elements.
 */
export function* listingDocument(answer: ObjectListing, vocabulary: XmlVocabulary): Generator<string, void, void> {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : itself;
  let xml = opening('ListBucketResult', vocabulary);
  xml += xmlElement('Name', asked.bucket) + xmlElement('Prefix', text(asked.prefix));
  xml += asked.form === 1 ? firstForm(answer, text, vocabulary) : secondForm(answer, text);
  yield xml + pageFields(answer, text, vocabulary);
  const kept = new KeptFields(vocabulary, asked.withOwner ? vocabulary.unknownOwner : undefined);
  for (const object of answer.objects) yield `<Contents>${objectFields(object, kept, text)}</Contents>`;
  for (const prefix of answer.commonPrefixes) yield commonPrefix(prefix, text);
  yield '</ListBucketResult>';
}

function firstForm({ asked, truncated, nextMarker }: ObjectListing, text: Encode, vocabulary: XmlVocabulary): string {
  const next = truncated && nextMarker !== undefined ? text(nextMarker) : undefined;
  return xmlElement('Marker', text(asked.after)) + markerElement('NextMarker', next, vocabulary);
}

function secondForm(answer: ObjectListing, text: Encode): string {
  const { asked, objects } = answer;
  let xml = xmlElement('KeyCount', objects.length + answer.commonPrefixes.length);
  if (asked.after !== '') xml += xmlElement('StartAfter', text(asked.after));
  xml += xmlElement('ContinuationToken', asked.continuationToken);
  return answer.truncated ? xml + xmlElement('NextContinuationToken', answer.nextContinuationToken) : xml;
}

/** The answer to ListObjectVersions, piece by piece. */
export function* versionListingDocument(
  answer: VersionListing,
  vocabulary: XmlVocabulary,
): Generator<string, void, void> {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : itself;
  let xml = opening('ListVersionsResult', vocabulary);
  xml += xmlElement('Name', asked.bucket) + xmlElement('Prefix', text(asked.prefix));
  xml += xmlElement('KeyMarker', text(asked.keyMarker)) + xmlElement('VersionIdMarker', asked.versionIdMarker);
  if (answer.truncated) {
    if (answer.nextKeyMarker !== undefined) xml += xmlElement('NextKeyMarker', text(answer.nextKeyMarker));
    // The element is written even where it is empty. Without it boto3 would read None, and refuse to send that back.
    xml += xmlElement('NextVersionIdMarker', answer.nextVersionIdMarker ?? '');
  } else if (vocabulary.insistsOnMarkers === true) {
    xml += '<NextKeyMarker></NextKeyMarker><NextVersionIdMarker></NextVersionIdMarker>';
  }
  yield xml + pageFields(answer, text, vocabulary);
  const kept = new KeptFields(vocabulary, vocabulary.unknownOwner);
  for (const entry of answer.entries) {
    const version = xmlElement('VersionId', entry.versionId) + xmlElement('IsLatest', entry.latest);
    yield entry.deleteMarker
      ? `<DeleteMarker>${xmlElement('Key', text(entry.key))}${version}` +
        `<LastModified>${dateText(entry.lastModified, vocabulary)}</LastModified>${owner(entry.owner ?? vocabulary.unknownOwner)}</DeleteMarker>`
      : `<Version>${objectFields(entry, kept, text)}${version}</Version>`;
  }
  for (const prefix of answer.commonPrefixes) yield commonPrefix(prefix, text);
  yield '</ListVersionsResult>';
}

/** The last elements before the entries, which listings of objects and of versions share. */
function pageFields(
  { asked, truncated }: ObjectListing | VersionListing,
  text: Encode,
  { insistsOnMarkers }: XmlVocabulary,
): string {
  let xml = xmlElement('MaxKeys', asked.maxKeys);
  if (asked.delimiter !== '' || insistsOnMarkers === true) xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  return xml + xmlElement('IsTruncated', truncated);
}

type Encode = (text: string) => string;

function itself(text: string): string {
  return text;
}

/**
 * Makes the elements for owner and storage class. Most objects of a listing have the same ones, so the text is made
 * once for each run of equal objects.
 */
class KeptFields {
  readonly vocabulary: XmlVocabulary;
  readonly #unknownOwner: Owner | undefined;
  #owner: Owner | undefined;
  #storageClass: string | undefined;
  #text: string | undefined;

  /** @param unknownOwner the owner of an object of which the store tells none */
  constructor(vocabulary: XmlVocabulary, unknownOwner: Owner | undefined) {
    this.#unknownOwner = unknownOwner;
    this.vocabulary = vocabulary;
  }

  of(object: ListedObject): string {
    const same =
      this.#text !== undefined &&
      this.#storageClass === object.storageClass &&
      this.#owner?.id === object.owner?.id &&
      this.#owner?.displayName === object.owner?.displayName;
    if (!same) {
      this.#owner = object.owner;
      this.#storageClass = object.storageClass;
      this.#text =
        owner(object.owner ?? this.#unknownOwner) + storageClassElement(object.storageClass, this.vocabulary);
    }
    return this.#text as string;
  }
}

function objectFields(object: ListedObject, kept: KeptFields, text: Encode): string {
  const { key, lastModified, etag, plaintextBytes } = object;
  const { vocabulary } = kept;
  return (
    `<Key>${xmlEscape(text(key))}</Key><LastModified>${dateText(lastModified, vocabulary)}</LastModified>` +
    etagElement(etag, vocabulary) +
    `<Size>${plaintextBytes}</Size>${vocabulary.ofListed?.(object) ?? ''}${kept.of(object)}`
  );
}

/** The `Owner` element, which all listings have. Returns '' where no owner is known. */
export function owner(value: Owner | undefined): string {
  if (value === undefined) return '';
  return `<Owner>${xmlElement('ID', value.id)}${xmlElement('DisplayName', value.displayName)}</Owner>`;
}

function commonPrefix(prefix: string, text: Encode): string {
  return `<CommonPrefixes>${xmlElement('Prefix', text(prefix))}</CommonPrefixes>`;
}
