/** The bits of a word of a set of states. */
const WORD = 32;

/**
 * Whether a text matches a pattern of AWS's policy language, in which `*` stands for any number of characters, slashes
 * too, and `?` for one. Patterns and texts come from clients, who may choose both so that every place in the text has
 * to be tried. So all places are tried at once, 32 in a step: it takes time in proportion to the text's length times
 * the pattern's at most, divided by 32.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  const wild = pattern.search(/[*?]/);
  if (wild === -1) return pattern === text;
  if (!text.startsWith(pattern.slice(0, wild))) return false;
  return pattern.slice(wild) === '*' || matchesBehind(pattern.slice(wild), text.slice(wild));
}

/**
 * Runs the pattern as an automaton. Its state `n` says that the first `n` characters of the pattern, not counting
 * stars, match the text so far. A star keeps its state, whatever comes.
 */
function matchesBehind(pattern: string, text: string): boolean {
  const wanted = [...pattern].filter((character) => character !== '*');
  const came = [...text];
  if (wanted.length > came.length) return false;
  const words = Math.ceil((wanted.length + 1) / WORD);
  const stays = new Uint32Array(words);
  let before = 0;
  for (const character of pattern) {
    if (character === '*') setBit(stays, before);
    else before++;
  }
  const passes = statesBefore(wanted, words);
  let states = new Uint32Array(words);
  let next = new Uint32Array(words);
  setBit(states, 0);
  for (const character of came) {
    const moving = passes.get(character) ?? (passes.get('?') as Uint32Array);
    let carried = 0;
    let alive = 0;
    for (let word = 0; word < words; word++) {
      const state = states[word] as number;
      const moved = state & (moving[word] as number);
      next[word] = (moved << 1) | carried | (state & (stays[word] as number));
      carried = moved >>> (WORD - 1);
      alive |= next[word] as number;
    }
    if (alive === 0) return false;
    [states, next] = [next, states];
  }
  return hasBit(states, wanted.length);
}

/** For each character of the pattern, the states that it leads on from. The entry `?` is that of all other ones. */
function statesBefore(wanted: readonly string[], words: number): ReadonlyMap<string, Uint32Array> {
  const any = new Uint32Array(words);
  for (const [at, character] of wanted.entries()) if (character === '?') setBit(any, at);
  const states = new Map([['?', any]]);
  for (const [at, character] of wanted.entries()) {
    if (character === '?') continue;
    let own = states.get(character);
    if (own === undefined) {
      own = any.slice();
      states.set(character, own);
    }
    setBit(own, at);
  }
  return states;
}

function setBit(bits: Uint32Array, at: number): void {
  const word = Math.floor(at / WORD);
  bits[word] = (bits[word] as number) | (1 << (at % WORD));
}

function hasBit(bits: Uint32Array, at: number): boolean {
  return ((bits[Math.floor(at / WORD)] as number) & (1 << (at % WORD))) !== 0;
}
