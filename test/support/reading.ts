import type { FrontDialect, FrontSettings, Reading } from '../../src/dialects/front-dialect.ts';
import type { WireRequest } from '../../src/wire/message.ts';

/** How a front reads a request that means one thing. */
export function readingOf(front: FrontDialect, request: WireRequest, settings: FrontSettings): Reading {
  const [reading, ...others] = front.readings(request, settings);
  if (others.length > 0) throw new Error(`The request has ${others.length + 1} readings.`);
  return reading;
}
