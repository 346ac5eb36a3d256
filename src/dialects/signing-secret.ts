/**
 * A secret access key, as far as signing needs it. The class that keeps secrets (src/secret.ts) has the same method,
 * and need not be imported here.
 */
export interface SigningSecret {
  /** Returns the secret's text. Never log or store it, and never put it into an error's message. */
  reveal(): string;
}
