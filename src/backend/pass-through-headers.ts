import type { HeaderList } from '../wire/headers.ts';

/**
 * The head of the backend's answer for the client: what the operation's list names, with order, case and duplicates
 * kept, and the gateway's request id in place of the backend's (every vendor's header ends in `request-id`). All else
 * stays behind: cookies, redirections, and whatever tells of the server or of the exchange with it.
 */
export function passedHeaders(
  headers: HeaderList,
  { requestId, answerHeaders }: { readonly requestId: string; readonly answerHeaders: ReadonlySet<string> },
): string[] {
  const raw: string[] = [];
  headers.forEach((lower, value, rawName) => {
    if (lower.endsWith('-request-id')) raw.push(rawName, requestId);
    else if (answerHeaders.has(lower)) raw.push(rawName, value);
  });
  return raw;
}
