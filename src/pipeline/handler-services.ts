import type { PassThroughLane } from '../backend/pass-through-lane.ts';
import type { OriginRules } from '../cross-origin/origin-rules.ts';
import type { FrontDialect, FrontSettings } from '../dialects/front-dialect.ts';
import type { KeyTransport } from '../encryption/key-transport.ts';
import type { MemoryBudget } from '../shares/memory-budget.ts';
import type { Directory } from '../tenants/directory.ts';
import type { OperationTools } from './context.ts';

/** What `createHandler` needs. gateway/pipeline-desk.ts composes it. */
export interface HandlerServices {
  /** The front dialects, in the order in which they are tried. The last one takes every request that no other did. */
  readonly fronts: readonly FrontDialect[];
  readonly settings: FrontSettings;
  /** Over which connections customer keys are taken. */
  readonly keyTransport: KeyTransport;
  readonly directory: Directory;
  readonly lane: PassThroughLane;
  readonly originRules: OriginRules;
  /** All memory for requests. Admission takes each request's share from it, once the sharer is known. */
  readonly memory: MemoryBudget;
  /** The tools before admission: they use the gateway's own backend key and draw on all of the memory. */
  readonly tools: OperationTools;
}
