/**
 * A secret access key, as signing needs it. The type is structural, so that this room need not import where secrets are
 * kept.
 */
export interface SigningSecret {
  /** The secret's text. Never log, store or interpolate it into an error. */
  reveal(): string;
}
