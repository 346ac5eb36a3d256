import type { SettingRule } from '../../settings/forms/rules.ts';
import type { PlaceRow, SettingShape } from '../place-table.ts';
import type { RecordStore } from './record-store.ts';

/** Whom a key store tells what happens to it. */
export interface KeyStoreOptions {
  /** Receives a sentence for the operator, such as that change tracking is refused. */
  readonly onWarning?: (message: string) => void;
  /** Is called when the connection was lost and is being made again. */
  readonly onReconnect?: () => void;
}

/** What the gateway and its commands ask of a row, whatever its settings are. */
export interface KeyStoreFacts<Place> {
  /** Rules between settings of `keys` that concern this row. */
  readonly rules?: readonly SettingRule[];
  /** A sentence that says why sidecars cannot read such a store; undefined if they can. */
  readonly noSidecars?: string;
  /** Returns what messages call the store at a place. It holds no secret. */
  describe(place: Place): string;
  /**
   * Returns what tells the store at a place from another one. The highest generation that was seen is kept under it, so
   * it must stay the same for ever.
   */
  identity(place: Place): readonly (string | number)[];
  /**
   * Opens the store at a place.
   * @throws GatewayError KeyStoreUnavailable if the store cannot be reached, Error if the settings are contradictory
   */
  open(place: Place, options: KeyStoreOptions): Promise<RecordStore>;
}

/** One kind of key store, with its settings in `keys.store`. */
export interface KeyStoreRow<Settings extends SettingShape, Place>
  extends PlaceRow<Settings, Place>,
    KeyStoreFacts<Place> {}
