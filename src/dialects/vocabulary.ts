import type { DialectName } from '../operations/object.ts';

/** The names and limits of a vendor that code shared by dialects needs. */
export interface Vocabulary {
  readonly dialect: DialectName;
  /** The prefix of the header of each entry of user metadata, in lower case. */
  readonly metadataPrefix: string;
  /** The greatest length of a key, in bytes of UTF-8. */
  readonly mostKeyBytes: number;
}
