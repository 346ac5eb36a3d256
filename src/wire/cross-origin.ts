import { HeaderList } from './headers.ts';

/*
 * The CORS headers, by which a server tells browsers what pages of other origins may do (WHATWG Fetch, "CORS
 * protocol").
 */

/** The headers of a preflight request. The last one belongs to Chromium's Private Network Access. */
const ASKED = [
  'Origin',
  'Access-Control-Request-Method',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Private-Network',
];

/** The CORS headers of answers, in lower case. Of the store's answer to a preflight only these are passed on. */
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

/** Returns the CORS headers of a browser's request. An empty header counts as absent. */
export function crossOriginQuestion(headers: HeaderList): HeaderList {
  const question = new HeaderList();
  for (const name of ASKED) {
    const value = headers.get(name);
    if (value !== undefined && value !== '') question.append(name, value);
  }
  return question;
}

/** Returns the CORS headers of a server's answer. */
export function crossOriginAnswer(headers: HeaderList): HeaderList {
  const answer = new HeaderList();
  headers.forEach((name, value, rawName) => {
    if (SAID.has(name)) answer.append(rawName, value);
  });
  return answer;
}

/** Whether these headers of an answer let a page of the origin that was asked about read it. */
export function letsRead(answer: HeaderList): boolean {
  return answer.has('access-control-allow-origin');
}

/**
 * Appends CORS headers to an answer, and `Vary: Origin` where they do not have it. The answer differs by origin, and
 * without Vary a cache could give one origin's answer to a page of another (WHATWG Fetch, "CORS protocol and HTTP
 * caches").
 * @param answer the CORS headers
 * @param headers the headers of the answer, to which they are appended
 */
export function appendCrossOrigin(answer: HeaderList, headers: HeaderList): void {
  answer.forEach((_name, value, rawName) => {
    headers.append(rawName, value);
  });
  if (!answer.getAll('vary').some((value) => /(?:^|[\s,])(?:origin|\*)(?:$|[\s,])/i.test(value))) {
    headers.append('Vary', 'Origin');
  }
}
