/** A secret access key while it signs. Structural, so that this room need not know where secrets are kept. */
export interface SigningSecret {
  /** The secret's text. Never log, store or interpolate it into an error. */
  reveal(): string;
}
