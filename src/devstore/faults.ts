import type { WireRequest } from '../wire/message.ts';

/** What goes wrong. A connection that is reset ends with RST, one that is closed with FIN. */
export type FaultEffect =
  /** An error answer instead of the operation. The request's body is not looked at. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string; readonly message?: string }
  /** The connection is reset before an answer: 'request' before anything was done, 'answer' when all was done. */
  | { readonly kind: 'drop'; readonly what: 'request' | 'answer' }
  /** The connection is reset once that many bytes of the request's body were taken. */
  | { readonly kind: 'cut request'; readonly afterBytes: number }
  /** The connection ends once that many bytes of the answer's body were sent. */
  | { readonly kind: 'cut answer'; readonly afterBytes: number; readonly by: 'reset' | 'close' }
  /** Nothing happens until `until` settles, or the client goes. `reached` is called when a request waits. */
  | { readonly kind: 'hold'; readonly until: Promise<void>; readonly reached: () => void }
  /** The connection closes behind the answer: with `Connection: close`, or without a word. */
  | { readonly kind: 'hang up'; readonly announced: boolean };

/** Which requests it meets: all, but for what is given here. */
export interface FaultTarget {
  readonly method?: string;
  readonly where?: (request: WireRequest) => boolean;
  /** How many requests it meets before it is spent. Default 1. */
  readonly times?: number;
}

/** A request that stands still until it is told to go on. */
export interface Hold {
  /** The first request has arrived and waits. */
  readonly reached: Promise<void>;
  release(): void;
}

interface Planned {
  readonly target: FaultTarget;
  readonly effect: FaultEffect;
  left: number;
}

/** What shall go wrong, planned by a test while the store runs. A request meets every plan that fits it. */
export class Faults {
  #planned: Planned[] = [];

  plan(target: FaultTarget, effect: FaultEffect): void {
    this.#planned.push({ target, effect, left: target.times ?? 1 });
  }

  /** Plans a wait that ends by `release`, not by a clock. */
  hold(target: FaultTarget = {}): Hold {
    const { promise: until, resolve: release } = Promise.withResolvers<void>();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    this.plan(target, { kind: 'hold', until, reached: resolve });
    return { reached, release };
  }

  /** How often plans will still strike: 0 says that all that was planned has happened. */
  get left(): number {
    return this.#planned.reduce((sum, { left }) => sum + left, 0);
  }

  clear(): void {
    this.#planned = [];
  }

  /** What this request meets; plans that are spent are forgotten. For the store itself. */
  take(request: WireRequest): FaultEffect[] {
    const met = this.#planned.filter(
      ({ target: { method, where } }) =>
        (method === undefined || method === request.method) && (where === undefined || where(request)),
    );
    for (const plan of met) plan.left--;
    this.#planned = this.#planned.filter(({ left }) => left > 0);
    return met.map(({ effect }) => effect);
  }
}

/** The effect of that kind among those a request meets. */
export function findEffect<K extends FaultEffect['kind']>(
  effects: readonly FaultEffect[],
  kind: K,
): Extract<FaultEffect, { kind: K }> | undefined {
  return effects.find((effect): effect is Extract<FaultEffect, { kind: K }> => effect.kind === kind);
}
