import type { DialectName } from '../operations/object.ts';

/** A vendor's names and limits, for code that dialects share. What only one dialect's own code reads stays beside that code. */
export interface Vocabulary {
  readonly dialect: DialectName;
  /** Begins the header of each entry of user metadata; lower case. */
  readonly metadataPrefix: string;
  /** What a key may have, in UTF-8 bytes. */
  readonly mostKeyBytes: number;
}
