import type { PassThroughLane } from '../backend/pass-through-lane.ts';
import type { OriginRules } from '../cross-origin/origin-rules.ts';
import type { FrontDialect, FrontSettings } from '../dialects/front-dialect.ts';
import type { MemoryBudget } from '../shares/memory-budget.ts';
import type { Directory } from '../tenants/directory.ts';
import type { OperationTools } from './context.ts';

/** What the page that every request goes through is made of; composed by hand in gateway/. */
export interface HandlerServices {
  /** In order of trial; the last one takes what nobody recognises. */
  readonly fronts: readonly FrontDialect[];
  readonly settings: FrontSettings;
  readonly directory: Directory;
  readonly lane: PassThroughLane;
  readonly originRules: OriginRules;
  /** The whole memory: whose part of it a request takes is known only once the request is read. */
  readonly memory: MemoryBudget;
  /** Before it is known for whom they work: with the gateway's own key and all of the memory. */
  readonly tools: OperationTools;
}
