import { CAPABILITY_NAMES, CAPABILITY_WORDS } from '../capabilities.ts';
import type { Finding } from './store-finder.ts';

/**
 * Describes a finding for an operator, in one line. It quotes nothing that the store said, except a known store's
 * title.
 */
export function describeFinding(finding: Finding): string {
  const { state, reason } = finding;
  switch (state) {
    case 'looking':
      return 'the gateway is still finding out what this store does, and relies on nothing until then';
    case 'not tried':
      return `the gateway could not try what this store does (${reason?.code}), and relies on nothing`;
    case 'as set':
      return 'what this store does is set, and was not tried';
    case 'found':
      return `${whichStore(finding)}${habitsOf(finding)}`;
  }
}

function whichStore({ store, claimed }: Finding): string {
  if (store.name !== 'unknown') return store.title;
  if (claimed === undefined) return 'a store that the gateway does not know';
  return `a store that calls itself ${claimed.title} and does not behave so`;
}

/** Leaves out what the gateway mends over every store, which is not worth mentioning. */
function habitsOf({ store, capabilities }: Finding): string {
  const lacked = CAPABILITY_NAMES.filter((name) => !capabilities[name] && !CAPABILITY_WORDS[name].always);
  if (lacked.length === 0) return '';
  const habits = lacked.map((name) => CAPABILITY_WORDS[name].otherwise).join(', ');
  return store.name === 'unknown' ? `, taken for one that ${habits}` : `, which ${habits}`;
}
