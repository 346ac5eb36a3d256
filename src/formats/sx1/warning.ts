import type { FormatDesk } from '../format-desk.ts';

/** Notes that a claim of an object did not hold, and that the bucket's policy let that pass. */
export function warn(claim: 'location' | 'metadata', { trace }: Pick<FormatDesk, 'trace'>): void {
  trace.warnings ??= [];
  trace.warnings.push(claim);
}
