import type { HeaderList } from '../wire/headers.ts';

/**
 * Returns the headers of the backend's answer that go to the client, names and values in turn. They are those that the
 * operation's list names, with order, case and duplicates kept, and the gateway's request id in place of the backend's
 * (every vendor's header for it ends in `request-id`). All others are left out: cookies, redirections, and whatever
 * describes the backend's server or the connection to it.
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
