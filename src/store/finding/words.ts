import { CAPABILITY_NAMES, CAPABILITY_WORDS } from '../capabilities.ts';
import type { Finding } from './store-finder.ts';

/** What was found of the store, for an operator: one line. It quotes nothing that the store said but a row's title. */
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

/** What the gateway makes up for over every store is not worth telling. */
function habitsOf({ store, capabilities }: Finding): string {
  const lacked = CAPABILITY_NAMES.filter((name) => !capabilities[name] && !CAPABILITY_WORDS[name].always);
  if (lacked.length === 0) return '';
  const habits = lacked.map((name) => CAPABILITY_WORDS[name].otherwise).join(', ');
  return store.name === 'unknown' ? `, taken for one that ${habits}` : `, which ${habits}`;
}
