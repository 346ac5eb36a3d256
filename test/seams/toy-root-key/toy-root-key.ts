import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { RootKeyProvider } from '../../../src/keys/root/provider.ts';
import { type RootKey, rootKeyFromBytes } from '../../../src/keys/root/root-key.ts';
import type { RootKeyRow } from '../../../src/keys/root/row.ts';
import { keyStoreUnavailable } from '../../../src/keys/store/record-store.ts';
import { RecordUnreadable } from '../../../src/keys/wrapped-record.ts';
import { setting } from '../../../src/settings/forms/setting.ts';
import { originUrl, seconds } from '../../../src/settings/forms/values.ts';

/** Where a toy service keeps the root key: it wraps and unwraps over HTTP, and the key never comes here. */
export interface ToyPlace {
  readonly kind: 'toy';
  readonly url: URL;
  readonly timeoutSeconds: number;
}

const settings = {
  toy: z
    .strictObject({
      url: setting(originUrl, 'The toy service.'),
      timeoutSeconds: setting(seconds({ min: 0.1, max: 60 }), 'Longest wait for its answer.').prefault(2),
    })
    .optional(),
};

/** `keys.root.toy`. */
export const toyRow: RootKeyRow<typeof settings, ToyPlace> = {
  settings,
  place: ({ toy }) => toy && { kind: 'toy', ...toy },
  open: (place): RootKeyProvider => ({
    open: async () => [await openKey(place)],
    check: async () => void (await ask(place, 'id', {})),
    close: async () => undefined,
  }),
};

async function openKey(place: ToyPlace): Promise<RootKey> {
  const bytes = async (what: string, asked: Readonly<Record<string, string>>) =>
    Buffer.from(await ask(place, what, asked), 'base64');
  return {
    id: await ask(place, 'id', {}),
    wrap: (name, plaintext) => bytes('wrap', { name, bytes: plaintext.toString('base64') }),
    unwrap: (name, wrapped) => bytes('unwrap', { name, bytes: wrapped.toString('base64') }),
    derive: (purpose) => bytes('derive', { purpose }),
  };
}

/** @throws RecordUnreadable, GatewayError KeyStoreUnavailable */
async function ask(place: ToyPlace, what: string, asked: Readonly<Record<string, string>>): Promise<string> {
  let status: number;
  let answer: string;
  try {
    const signal = AbortSignal.timeout(place.timeoutSeconds * 1000);
    const response = await fetch(new URL(what, place.url), { method: 'POST', body: JSON.stringify(asked), signal });
    ({ status } = response);
    answer = await response.text();
  } catch (error) {
    throw keyStoreUnavailable(error);
  }
  if (status === 422) throw new RecordUnreadable(asked.name ?? '', 'the toy service refuses it');
  if (status !== 200) throw keyStoreUnavailable(new Error(`the toy service answers ${status}`));
  return answer;
}

/** `stalls` never answers, `fails` answers 500. */
type Mood = 'well' | 'stalls' | 'fails';

/** The service itself. */
export class ToyService {
  /** Requests that came. */
  asked = 0;
  #mood: Mood = 'well';
  readonly #key: RootKey;
  readonly #server: Server;

  constructor(key: Buffer) {
    this.#key = rootKeyFromBytes(key);
    this.#server = createServer(async (request, response) => {
      this.asked++;
      if (this.#mood === 'stalls') return;
      const body = JSON.parse(await text(request)) as Record<string, string>;
      const answer =
        this.#mood === 'well' ? await this.#answer((request.url ?? '').slice(1), body).catch(statusIfUnreadable) : 500;
      if (typeof answer === 'number') response.statusCode = answer;
      response.end(typeof answer === 'string' ? answer : '');
    });
  }

  become(mood: Mood): void {
    this.#mood = mood;
  }

  async start(): Promise<ToyPlace> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return { kind: 'toy', url: new URL(`http://127.0.0.1:${port}`), timeoutSeconds: 0.5 };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(what: string, asked: Readonly<Record<string, string>>): Promise<string> {
    const bytes = Buffer.from(asked.bytes ?? '', 'base64');
    if (what === 'id') return this.#key.id;
    if (what === 'wrap') return (await this.#key.wrap(asked.name ?? '', bytes)).toString('base64');
    if (what === 'unwrap') return (await this.#key.unwrap(asked.name ?? '', bytes)).toString('base64');
    return (await this.#key.derive(asked.purpose ?? '')).toString('base64');
  }
}

function statusIfUnreadable(error: unknown): number {
  if (error instanceof RecordUnreadable) return 422;
  throw error;
}
