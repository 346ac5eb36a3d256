import { payload, sha256 } from './payload.ts';

/** What a key may hold: content by its digest, or nothing. */
export interface Content {
  readonly sha256: string;
  readonly bytes: number;
}

export const ABSENT = 'absent';

/**
 * What every key may hold after writes of which some were acknowledged and others ended in doubt. A write in doubt
 * (503, a broken connection) happened whole or not at all; an acknowledged one happened. Each key has one writer.
 */
export class ExpectedObjects {
  readonly #allowed = new Map<string, ReadonlyMap<string, Content | undefined>>();

  get keys(): readonly string[] {
    return [...this.#allowed.keys()];
  }

  /** Before the write is sent: from now on either may be there. */
  attempt(key: string, content: Content | undefined): void {
    this.#allowed.set(key, new Map([...this.#of(key), [idOf(content), content]]));
  }

  /** It was acknowledged: only this may be there. */
  acknowledge(key: string, content: Content | undefined): void {
    this.#allowed.set(key, new Map([[idOf(content), content]]));
  }

  allows(key: string, found: Content | undefined): boolean {
    const allowed = this.#of(key);
    const id = idOf(found);
    return allowed.has(id) && allowed.get(id)?.bytes === found?.bytes;
  }

  /** Whether a listing may show it of this size; undefined: whether it may lack it. */
  allowsBytes(key: string, bytes: number | undefined): boolean {
    return [...this.#of(key).values()].some((content) => content?.bytes === bytes);
  }

  /** Whether it may be there, and whether it may be absent. */
  mayBe(key: string): { readonly present: boolean; readonly absent: boolean } {
    const absent = this.#of(key).has(ABSENT);
    return { present: this.#of(key).size > (absent ? 1 : 0), absent };
  }

  /** What it may be, for a message. */
  describe(key: string): string {
    return [...this.#of(key).values()].map((content) => (content ? `${content.bytes} bytes` : ABSENT)).join(' or ');
  }

  #of(key: string): ReadonlyMap<string, Content | undefined> {
    return this.#allowed.get(key) ?? new Map([[ABSENT, undefined]]);
  }
}

const idOf = (content: Content | undefined) => content?.sha256 ?? ABSENT;

export function contentOf(body: Buffer): Content {
  return { sha256: sha256(body), bytes: body.length };
}

/** Numbers from 0 to 1, the same for the same seed. */
export function numbersOf(seed: number): () => number {
  let at = seed;
  return () => payload(4, ++at).readUInt32LE() / 2 ** 32;
}
