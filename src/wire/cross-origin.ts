import { HeaderList } from './headers.ts';

/**
 * The headers by which a server tells browsers which pages may read its answers (WHATWG Fetch §3.3, "CORS protocol").
 */

/** What a page's browser asks beforehand. The last is of Chromium's Private Network Access. */
const ASKED = [
  'Origin',
  'Access-Control-Request-Method',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Private-Network',
];

/** All that a server may say of it, in lower case; of its answer to such a question nothing else goes on to a client. */
export const crossOriginAnswerNames: readonly string[] = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
  'vary',
];

const SAID: ReadonlySet<string> = new Set(crossOriginAnswerNames);

/** A browser's question, out of the headers of its request; an empty header asks nothing. */
export function crossOriginQuestion(headers: HeaderList): HeaderList {
  const question = new HeaderList();
  for (const name of ASKED) {
    const value = headers.get(name);
    if (value !== undefined && value !== '') question.append(name, value);
  }
  return question;
}

/** What a server says to it, out of the headers of its answer. */
export function crossOriginAnswer(headers: HeaderList): HeaderList {
  const answer = new HeaderList();
  headers.forEach((name, value, rawName) => {
    if (SAID.has(name)) answer.append(rawName, value);
  });
  return answer;
}

/** Whether a page of the origin that was asked about may read the answer at all. */
export function letsRead(answer: HeaderList): boolean {
  return answer.has('access-control-allow-origin');
}

/**
 * Adds what a server says to pages of an origin. Whatever it says, the answer is another for another origin, and a
 * cache that did not know would hand a page what was said to the next (WHATWG Fetch, "CORS protocol and HTTP caches").
 */
export function appendCrossOrigin(answer: HeaderList, headers: HeaderList): void {
  answer.forEach((_name, value, rawName) => {
    headers.append(rawName, value);
  });
  if (!answer.getAll('vary').some((value) => /(?:^|[\s,])(?:origin|\*)(?:$|[\s,])/i.test(value))) {
    headers.append('Vary', 'Origin');
  }
}
