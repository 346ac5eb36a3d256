import type { WireRequest } from '../../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import type { QueryList, QueryParameter } from '../../../wire/query.ts';
import { type SignedPlace, signedHeaders, signedPath } from './signed-fields.ts';
import { isSubresource } from './subresources.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** The headers that Version 4 signs where they are there, beside `x-oss-*`. */
const ALWAYS_SIGNED = ['content-type', 'content-md5'];

/**
 * Returns the canonical requests that an SDK may have signed: six at most, mostly one.
 * @param additional the names of further headers that are signed, sorted
 */
export function v4CanonicalRequests(
  request: WireRequest,
  place: SignedPlace,
  additional: readonly string[],
): readonly string[] {
  const { headers, method } = request;
  const before = `${method}\n${percentEncodePath(signedPath(place))}\n`;
  const after =
    `\n${signedHeaders(headers, new Set([...ALWAYS_SIGNED, ...additional]))}\n${additional.join(';')}\n` +
    (headers.get('x-oss-content-sha256') ?? UNSIGNED_PAYLOAD);
  return [...queriesOf(request.query)].map((query) => before + query + after);
}

/**
 * Returns the ways in which SDKs write the query. A parameter without a value is its name alone. ali-oss (6.23.0)
 * keeps the `=` of one that its caller gave as an empty text, except for sub-resources; leaves one out that its
 * caller gave as undefined; and sorts names as a dictionary does.
 */
function queriesOf({ parameters }: QueryList): ReadonlySet<string> {
  const signed = parameters.filter(({ name }) => name !== 'x-oss-signature');
  if (signed.length === 0) return new Set(['']);
  const isBare = ({ name, value, hasEquals }: QueryParameter) => value === '' && !(hasEquals && !isSubresource(name));
  const written = (parameter: QueryParameter, equals: boolean): Written => {
    const name = percentEncode(parameter.name);
    const bare = parameter.value === '' && !(equals && !isBare(parameter));
    return [name, bare ? name : `${name}=${percentEncode(parameter.value)}`];
  };
  const forms = [
    signed.map((parameter) => written(parameter, false)),
    signed.map((parameter) => written(parameter, true)),
    signed.filter((parameter) => parameter.value !== '' || isBare(parameter)).map((each) => written(each, false)),
  ];
  return new Set(forms.flatMap((form) => [joined(form, byBytes), joined(form, asInADictionary)]));
}

type Written = readonly [name: string, text: string];

function joined(form: readonly Written[], compare: (left: string, right: string) => number): string {
  return form
    .toSorted(([left], [right]) => compare(left, right))
    .map(([, text]) => text)
    .join('&');
}

function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

const DICTIONARY = new Intl.Collator('en');

function asInADictionary(left: string, right: string): number {
  return DICTIONARY.compare(left, right);
}
