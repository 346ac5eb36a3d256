import { timingSafeEqual } from 'node:crypto';

/** Whether two texts are equal. The time that it takes depends on their lengths only, so it is safe for signatures. */
export function equalInConstantTime(left: string, right: string): boolean {
  const a = Buffer.from(left, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
