import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION } from '../../../../wire/xml/xml.ts';

const DECLARATION = Buffer.from(XML_DECLARATION);
const BLANK = Buffer.from(' ');

/**
 * As S3 answers what takes long: 200 and the XML declaration, blanks while it lasts, then the document, which may be an
 * error's. What the answer's own head would have said beside it (a version id) is lost.
 */
export function renderLate(
  settled: Promise<WireResponse>,
  beat: () => Promise<void>,
  headers: HeaderList,
): WireResponse {
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
  if (!Buffer.isBuffer(body)) throw new Error('An answer that may be late is a document.');
  const declared = body.subarray(0, DECLARATION.length).equals(DECLARATION);
  return declared ? body.subarray(DECLARATION.length) : body;
}
