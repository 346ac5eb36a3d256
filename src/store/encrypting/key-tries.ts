import { type KeyTry, NO_KEY } from './encrypter.ts';

/**
 * The keys to try for one object, one after the other. A store answers 403 to another key than the object's, and 400 to
 * a key for an object that has none, and to none for one that has. So no key is tried twice, and one that needs no key
 * costs one request more at most.
 */
export class KeyTries {
  /** The one that is tried first where nothing is remembered. */
  readonly first: KeyTry;
  readonly #rest: KeyTry[];
  #current: KeyTry;
  /** Whether a try has shown that the object has a key, or that it has none. */
  #hasKey: boolean | undefined;

  /** @param remembered the version that fitted last */
  constructor(tries: readonly KeyTry[], remembered: number | undefined) {
    const [first] = tries;
    if (first === undefined) throw new RangeError('There must be something to try.');
    this.first = first;
    this.#current = tries.find(({ version }) => version === remembered) ?? first;
    this.#rest = tries.filter((each) => each !== this.#current);
  }

  get current(): KeyTry {
    return this.#current;
  }

  /** Goes on to the next one that can fit, after the store's answer to the current one; false where there is none. */
  goesOnAfter(status: number): boolean {
    const keyed = this.#current.version !== NO_KEY;
    const refused = status === 400 || (status === 403 && keyed);
    if (!refused) return false;
    const hasKey = keyed ? status === 403 : true;
    // 400 with a key and without one says that something else is wrong with the request.
    if (this.#hasKey !== undefined && this.#hasKey !== hasKey) return false;
    this.#hasKey = hasKey;
    const next = this.#rest.findIndex(({ version }) => (version !== NO_KEY) === hasKey);
    if (next < 0) return false;
    [this.#current] = this.#rest.splice(next, 1) as [KeyTry];
    return true;
  }
}
