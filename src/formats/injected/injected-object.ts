import type { StoreKey } from '../../dialects/store-encryption.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { RelocatedObject } from '../object-details.ts';
import { PlainObject } from '../plain/plain-object.ts';

/** An object that the store has encrypted by itself, as far as the store says. */
export class InjectedObject extends PlainObject {
  override readonly encryption: EncryptionFacts | undefined;
  readonly #storeKey: () => Promise<StoreKey | undefined> | undefined;

  constructor(parts: ConstructorParameters<typeof PlainObject>[0]) {
    super(parts);
    const { ref, stored, desk } = parts;
    const { encrypter } = desk.store;
    const { encryptedAs } = stored;
    this.encryption = encryptedAs && encrypter?.told(encryptedAs);
    this.#storeKey = () => encrypter?.keyFor(ref, encryptedAs);
  }

  async storeKey(): Promise<StoreKey | undefined> {
    return this.#storeKey();
  }

  override async relocated(
    place: ObjectRef,
    metadata: ObjectMetadata,
    desk: FormatDesk,
  ): Promise<RelocatedObject | undefined> {
    const moved = await super.relocated(place, metadata);
    return moved && { ...moved, encryption: desk.store.encrypter?.toldOfNew };
  }
}
