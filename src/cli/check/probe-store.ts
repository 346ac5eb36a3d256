import { randomBytes } from 'node:crypto';
import type { BackendConfig } from '../../backend/config.ts';
import { overridesIn } from '../../gateway/find-store.ts';
import type { Backend } from '../../gateway/open-backend.ts';
import { type Evidence, judge } from '../../store/finding/evidence.ts';
import { examine } from '../../store/finding/examine.ts';
import { overridden } from '../../store/finding/overrides.ts';
import { certainlyAs, type Finding, foundAs } from '../../store/finding/store-finder.ts';
import { EMBEDDED_STORE, KNOWN_STORES } from '../../store/known-stores.ts';

/** How long the look at the store may take; a store that is merely slow takes less. */
const LONGEST_SECONDS = 60;

/**
 * What the check found out about the store, as a gateway with this configuration would, and what contradicts the
 * configuration.
 */
export interface ProbedStore {
  readonly finding: Finding;
  /** One sentence for each setting that promises what the store does not do. */
  readonly contradictions: readonly string[];
}

/**
 * Tries the store.
 * @param parts `bucket` is where the store may be tried; what is written there is removed
 * @throws GatewayError
 */
export async function probeStore(
  settings: BackendConfig,
  backend: Backend,
  { bucket, now }: { readonly bucket: string; readonly now: () => Date },
): Promise<ProbedStore> {
  const said = overridden(overridesIn(settings));
  if (settings.place.kind === 'directory') return { finding: certainlyAs(EMBEDDED_STORE, said), contradictions: [] };
  const { back, connection } = backend;
  const signal = AbortSignal.timeout(LONGEST_SECONDS * 1000);
  const look = await examine({ back, connection, bucket, knownStores: KNOWN_STORES, now, randomBytes, signal });
  const examination = await look.whole;
  return {
    finding: foundAs(judge(examination, KNOWN_STORES), said),
    contradictions: contradictionsOf(settings, examination.evidence),
  };
}

function contradictionsOf(settings: BackendConfig, evidence: Evidence): string[] {
  const { careful, conditionalUploads, conditionalDeletes, keys } = settings;
  const is = (name: keyof Evidence) => evidence[name] === 'broken';
  const sentences: string[] = [];
  if (careful === false && is('tornUploadsVanish')) {
    sentences.push(
      'the backend took an upload that broke off for a whole one, and lost the object that lay there: set ' +
        'backend.careful to true, or leave it out',
    );
  }
  if (careful === false && is('truthfulCompletes')) {
    sentences.push(
      'the backend acknowledged a multipart upload that was aborted: set backend.careful to true, or leave it out',
    );
  }
  if (keys === 'names' && is('distinctFirstSlash')) {
    sentences.push(
      'backend.keys is names, but the backend makes paths of keys: /a and a are one object, and keys with .. may ' +
        'lead to other tenants’ buckets. Set backend.keys to paths, or leave it out',
    );
  }
  if (conditionalUploads === true && is('conditionalCompletes')) {
    sentences.push(
      'the backend completed a multipart upload although If-None-Match said that nothing may be replaced: ' +
        'set backend.conditionalUploads to false, and what needs them is refused, or leave it out',
    );
  }
  if (conditionalUploads === true && is('conditionalPuts')) {
    sentences.push(
      'the backend replaced an object although If-Match named another ETag, or If-None-Match said that nothing may ' +
        'be replaced: a change of metadata could undo a write that comes at the same time. Leave ' +
        'backend.conditionalUploads out',
    );
  }
  if (conditionalUploads === true && is('matchesOwnEtag')) {
    sentences.push(
      'the backend refused to replace an object although If-Match named its own ETag: changes of metadata would ' +
        'fail. Set backend.conditionalUploads to false, or leave it out',
    );
  }
  if (conditionalDeletes === true && is('conditionalDeletes')) {
    sentences.push(
      'backend.conditionalDeletes is set, but the backend deleted the probe although If-Match named another ETag: ' +
        'applications would lose what they mean to keep',
    );
  }
  return sentences;
}
