import { ASSUMED_CAPABILITIES, type Capabilities, type Capability, capabilitiesThat } from '../capabilities.ts';
import { type KnownStore, type StoreSigns, UNKNOWN_STORE } from '../known-stores.ts';

/** What trying each capability showed. One is absent if it was not tried, or if the answers showed nothing. */
export type Evidence = { readonly [name in Capability]?: 'holds' | 'broken' };

/** Everything that one look at a store brought. */
export interface Examination {
  /** The signs in each answer that came, because several programs may answer at one address. */
  readonly signs: readonly StoreSigns[];
  readonly evidence: Evidence;
}

/** Which store it is, and what the gateway relies on. */
export interface FoundStore {
  /** A known store, or UNKNOWN_STORE if the store names itself as none, or does not behave as the one that it names. */
  readonly store: KnownStore;
  readonly capabilities: Capabilities;
  /** The known store that its answers name, whether it behaves so or not. */
  readonly claimed: KnownStore | undefined;
}

/**
 * How each capability is found out.
 *
 * - `tried`: one attempt shows it either way. What it shows counts, whatever the row of a known store says.
 * - `not seen`: an attempt can show that it is lacking, but a bad habit that does not show proves little, because it
 * may need more time or two clients. If a row lists the habit, the row is believed and not the attempt.
 * - `of the row`: no attempt can show it without harm. It holds only for a store that behaves as its row in everything
 * that was tried.
 * - `tried and of the row`: it takes both, because keys that climb as paths do could reach data of other tenants.
 */
const FOUND_BY: Readonly<Record<Capability, 'tried' | 'not seen' | 'of the row' | 'tried and of the row'>> = {
  conditionalPuts: 'tried',
  matchesOwnEtag: 'tried',
  conditionalCompletes: 'tried',
  conditionalDeletes: 'tried',
  tornUploadsVanish: 'not seen',
  truthfulCompletes: 'not seen',
  atomicCompletes: 'of the row',
  completeTellsEtag: 'of the row',
  namesUnknownUploads: 'of the row',
  pinnedCopies: 'of the row',
  namedNotModified: 'of the row',
  verbatimKeys: 'tried and of the row',
  distinctFirstSlash: 'tried',
  lastingBucketDates: 'of the row',
  heedsEncryption: 'tried',
};

/**
 * Decides on what the gateway may rely. What a store says of itself makes the gateway more careful at once, and never
 * less careful: a capability holds only if it was seen, or if the store behaves as its row in everything that was
 * tried.
 */
export function judge({ signs, evidence }: Examination, knownStores: readonly KnownStore[]): FoundStore {
  const named = new Set(signs.map((sign) => knownStores.find((store) => store.isNamedBy(sign))));
  const rows = [...named].filter((row) => row !== undefined);
  // Several programs answer at one address, and any of them may answer the next request.
  const claimed = named.size === 1 ? rows[0] : undefined;
  const believed = claimed !== undefined && behavesAs(claimed, evidence) ? claimed : undefined;
  const knowsOtherwise = (name: Capability) => rows.some((row) => !row.capabilities[name]);
  const capabilities = capabilitiesThat((name) => {
    const grants = believed?.capabilities[name] === true;
    switch (FOUND_BY[name]) {
      case 'tried':
        return evidence[name] === undefined ? ASSUMED_CAPABILITIES[name] : evidence[name] === 'holds';
      case 'not seen':
        return evidence[name] === 'holds' && !knowsOtherwise(name);
      case 'of the row':
        return grants;
      case 'tried and of the row':
        return grants && evidence[name] === 'holds';
    }
  });
  return { store: believed ?? UNKNOWN_STORE, capabilities, claimed };
}

/**
 * Whether the store showed everything that its row promises and that was tried, including the attempts that tell rows
 * apart.
 */
function behavesAs({ capabilities }: KnownStore, evidence: Evidence): boolean {
  if (evidence.conditionalPuts === undefined || evidence.truthfulCompletes === undefined) return false;
  const tried = Object.entries(evidence) as readonly [Capability, 'holds' | 'broken'][];
  return tried.every(([name, showed]) => showed === 'holds' || !capabilities[name]);
}
