import { GatewayError } from '../../errors.ts';

/** Tells the owner of a store what to do if they put it back on purpose. */
export const ACCEPT_HINT =
  'If that was you, with a backup or an older release, accept it: sealgate key accept-generation.';

/**
 * Is thrown if the key store as a whole is older than it was seen to be, or no longer says how old it is. Until its
 * owner accepts it as it is, nothing is written to it, and no gateway starts with it.
 */
export class StorePutBack extends GatewayError {
  constructor(reason: string) {
    super('KeyUnavailable', `The key store was put back: ${reason}. ${ACCEPT_HINT}`, { source: 'keys' });
    this.name = 'StorePutBack';
  }
}

/** The store has a ledger of a lower generation than one that was seen. */
export function olderStore(generation: number, seen: number): StorePutBack {
  return new StorePutBack(`it is of generation ${generation}, and ${seen} was seen already`);
}

/** The store has no ledger any more, although one was seen. */
export function ledgerGone(seen: number): StorePutBack {
  return new StorePutBack(`it has no record of its generation any more, and ${seen} was seen already`);
}

/** The store has another ledger of the generation that was seen, so somebody forked its history. */
export function otherStore(generation: number): StorePutBack {
  return new StorePutBack(`it has another generation ${generation} than the one that was seen`);
}
