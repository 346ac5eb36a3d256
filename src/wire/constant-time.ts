import { timingSafeEqual } from 'node:crypto';

/** Whether two texts are the same, in a time that tells nothing but their lengths. For signatures. */
export function equalInConstantTime(left: string, right: string): boolean {
  const a = Buffer.from(left, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
