import type { KeyRings } from '../../keys/key-rings.ts';
import type { ReadSection, SettingShape } from '../../keys/place-table.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { KeySource } from '../key-source.ts';

/** What the key source of one request is made from. */
export interface KeyRequest {
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  /** The encryption that the request asks for; undefined leaves it to the bucket's policy. */
  readonly asked: AskedEncryption | undefined;
}

/** What the rows of the table need. They get it once in a process. */
export interface KeySourceParts {
  readonly keyRings: KeyRings;
}

/** The key sources of one form in one process, with the client that they share if they ask a service for keys. */
export interface OpenKeySources {
  /** Makes the key source of one request. */
  of(request: KeyRequest): KeySource;
  /** Closes connections and timers. */
  close?(): Promise<void>;
}

/** How keys are found for one form in which encryption may be asked for. */
export interface KeySourceRow<Settings extends SettingShape> {
  /** The row's settings in the section `encryption`. */
  readonly settings: Settings;
  /**
   * Opens the key sources. undefined where the settings do not ask for them; requests for the form are then refused.
   */
  open(parts: KeySourceParts, section: ReadSection<Settings>): OpenKeySources | undefined;
}
