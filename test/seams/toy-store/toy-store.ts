import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ALL_CAPABILITIES } from '../../../src/store/capabilities.ts';
import { KNOWN_STORES, type KnownStore } from '../../../src/store/known-stores.ts';

/** The row by which the gateway knows the toy: what an addition of a store to src/store/known-stores.ts would be. */
export const TOY_ROW: KnownStore = {
  name: 'toy',
  title: 'Toy Store',
  version: '1',
  tested: 'here',
  isNamedBy: ({ server }) => server === 'toy-store',
  capabilities: { ...ALL_CAPABILITIES, conditionalDeletes: false, completeTellsEtag: false },
};

export const STORES_WITH_TOY: readonly KnownStore[] = [...KNOWN_STORES, TOY_ROW];

/** Stands before the embedded store and gives it two odd habits. */
export interface ToyStore {
  readonly endpoint: string;
  /** Where the embedded store is. */
  port: number | undefined;
  /** What it calls itself. */
  server: string;
  /** Whether it keeps what came of an upload that broke off: a third habit, for a store that was replaced. */
  keepsTorn: boolean;
  close(): Promise<void>;
}

/** It deletes whatever lies there, whatever If-Match says, and tells no ETag of a completed upload. */
export async function startToyStore(): Promise<ToyStore> {
  const toy = { port: undefined as number | undefined, server: 'toy-store', keepsTorn: false };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const forgets = method === 'DELETE' || (method === 'POST' && url.includes('?delete'));
    const streams = method === 'PUT' && !toy.keepsTorn;
    const serve = async () => {
      const body = streams ? undefined : await collected(incoming);
      const forgetful = forgets ? body?.toString().replaceAll(/<ETag>[^<]*<\/ETag>/g, '') : undefined;
      const sent = forgetful === undefined ? body : Buffer.from(forgetful);
      const upstream = request({
        host: '127.0.0.1',
        port: toy.port,
        method,
        path: url,
        headers: heads(incoming, forgets, sent),
      });
      upstream.on('error', () => outgoing.destroy());
      incoming.on('error', () => upstream.destroy()).on('aborted', () => upstream.destroy());
      upstream.on('response', async (answer) => {
        const completes = method === 'POST' && url.includes('uploadId=');
        answer.on('error', () => outgoing.destroy());
        const headers = answer.rawHeaders.flatMap((field, at, all) =>
          at % 2 === 1 ||
          /^(?:server|connection|keep-alive|transfer-encoding)$/i.test(field) ||
          (completes && /^(?:content-length|etag)$/i.test(field))
            ? []
            : [field, all[at + 1] as string],
        );
        outgoing.writeHead(answer.statusCode ?? 500, [...headers, 'Server', toy.server]);
        if (completes)
          outgoing.end((await collected(answer)).toString().replaceAll(/<ETag>[^<]*<\/ETag>/g, '<ETag></ETag>'));
        else answer.pipe(outgoing);
      });
      if (sent === undefined) incoming.pipe(upstream);
      else upstream.end(sent);
    };
    serve().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(toy, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

/** Of a request, as its store hears them: without the condition that the toy forgets, and of the length that is sent. */
function heads({ rawHeaders }: IncomingMessage, forgets: boolean, sent: Buffer | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const isOld =
      sent !== undefined && /^(?:content-length|transfer-encoding|content-md5|x-amz-checksum-.*)$/.test(name);
    if (!isOld && !(forgets && name === 'if-match')) headers[name] = rawHeaders[at + 1] as string;
  }
  if (sent !== undefined && sent.length > 0) headers['content-length'] = String(sent.length);
  return headers;
}

/** What came, also of a body that broke off. */
async function collected(source: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of source) pieces.push(piece as Buffer);
  } catch {
    // Its sender went away.
  }
  return Buffer.concat(pieces);
}
