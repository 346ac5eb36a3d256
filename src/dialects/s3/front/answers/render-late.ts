import type { EncryptionFacts } from '../../../../operations/encryption.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION } from '../../../../wire/xml/xml.ts';
import { appendEncryption } from '../requests/encryption-headers.ts';

const DECLARATION = Buffer.from(XML_DECLARATION);
const BLANK = Buffer.from(' ');

/**
 * Implements FrontDialect.renderLate. S3 answers operations that take long in this way: it sends the status 200 and the
 * XML declaration at once, blanks while the operation runs, and at the end the document, which may be that of an error.
 * Headers that depend on the outcome, such as the version id, are not sent. How the object will be encrypted is known
 * before, and told.
 */
export function renderLate(
  settled: Promise<WireResponse>,
  beat: () => Promise<void>,
  { headers, encryption }: { readonly headers: HeaderList; readonly encryption: EncryptionFacts | undefined },
): WireResponse {
  if (encryption !== undefined) appendEncryption(headers, encryption);
  return { status: 200, headers: headers.append('Content-Type', 'application/xml'), body: lateBody(settled, beat) };
}

async function* lateBody(settled: Promise<WireResponse>, beat: () => Promise<void>): AsyncGenerator<Buffer> {
  yield DECLARATION;
  for (;;) {
    const answer = await Promise.race([settled, beat()]);
    if (answer !== undefined) {
      yield rest(answer.body);
      return;
    }
    yield BLANK;
  }
}

function rest(body: WireResponse['body']): Buffer {
  if (!Buffer.isBuffer(body)) throw new Error('An answer that begins before its outcome must be a document.');
  const declared = body.subarray(0, DECLARATION.length).equals(DECLARATION);
  return declared ? body.subarray(DECLARATION.length) : body;
}
