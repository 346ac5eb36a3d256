import { CAREFUL_CAPABILITIES, type Capabilities, type Capability, capabilitiesThat } from '../capabilities.ts';
import { type KnownStore, type StoreSigns, UNKNOWN_STORE } from '../known-stores.ts';

/** What trying a capability showed; absent where it was not tried, or where the answer told nothing. */
export type Evidence = { readonly [name in Capability]?: 'holds' | 'broken' };

/** Everything that one look at a store brought. */
export interface Examination {
  /** Each kind of answer that came: behind one address may be several programs. */
  readonly signs: readonly StoreSigns[];
  readonly evidence: Evidence;
}

/** Which store it is, and what the gateway relies on. */
export interface FoundStore {
  /** A row, or UNKNOWN_STORE for one that names itself as none or does not behave as the row that it names. */
  readonly store: KnownStore;
  readonly capabilities: Capabilities;
  /** The row that its answers name, whether or not it behaves so. */
  readonly claimed: KnownStore | undefined;
}

/**
 * How each capability is found out.
 *
 * - `tried`: one attempt shows it either way, and what it shows counts, whatever a row says.
 * - `not seen`: that a habit did not show is weak, for it may need more time or two clients. A row that knows the habit
 *   is believed over an attempt that did not show it.
 * - `of the row`: no attempt shows it without harm. It holds only for a store that behaves as its row in all that was
 *   tried.
 * - `tried and of the row`: keys that climb could reach other tenants' data, so that it takes both.
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
};

/**
 * What the gateway may rely on. A claim makes it more careful at once, and less careful never: whatever a row grants was
 * seen, or belongs to a store that behaves as that row in everything that was tried.
 */
export function judge({ signs, evidence }: Examination, knownStores: readonly KnownStore[]): FoundStore {
  const named = new Set(signs.map((sign) => knownStores.find((store) => store.isNamedBy(sign))));
  const rows = [...named].filter((row) => row !== undefined);
  // Several programs behind one address: each may answer the next request.
  const claimed = named.size === 1 ? rows[0] : undefined;
  const believed = claimed !== undefined && behavesAs(claimed, evidence) ? claimed : undefined;
  const knowsOtherwise = (name: Capability) => rows.some((row) => !row.capabilities[name]);
  const capabilities = capabilitiesThat((name) => {
    const grants = believed?.capabilities[name] === true;
    switch (FOUND_BY[name]) {
      case 'tried':
        return evidence[name] === undefined ? CAREFUL_CAPABILITIES[name] : evidence[name] === 'holds';
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

/** Whether the store did everything that its row promises and that was tried: at least what tells the rows apart. */
function behavesAs({ capabilities }: KnownStore, evidence: Evidence): boolean {
  if (evidence.conditionalPuts === undefined || evidence.truthfulCompletes === undefined) return false;
  const tried = Object.entries(evidence) as readonly [Capability, 'holds' | 'broken'][];
  return tried.every(([name, showed]) => showed === 'holds' || !capabilities[name]);
}
