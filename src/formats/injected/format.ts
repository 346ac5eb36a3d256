import { GatewayError, proven } from '../../errors.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { StoreEncrypter } from '../../store/encrypting/encrypter.ts';
import { KeyMemory } from '../../store/encrypting/key-memory.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NewObject, ObjectWriter, PieceWriter } from '../object-writer.ts';
import { plain } from '../plain/format.ts';
import { PlainWriter } from '../plain/plain-writer.ts';
import { InjectedObject } from './injected-object.ts';
import { InjectingEncrypter } from './injecting-encrypter.ts';

/**
 * The format of objects that the store gets as they were sent, and is asked to encrypt by itself. What the gateway adds
 * to its requests is the encrypter's (injecting-encrypter.ts); bytes and metadata are those of a plain object.
 */
export class InjectedFormat implements ObjectFormat {
  readonly name = 'injected';
  readonly asSent = true;
  readonly isMarked = plain.isMarked;
  readonly clientMetadata = plain.clientMetadata;
  readonly guess = plain.guess;
  readonly remembered = plain.remembered;
  readonly forget = plain.forget;
  readonly storedBytes = plain.storedBytes;
  readonly plaintextBytes = plain.plaintextBytes;
  readonly claimedBytes = plain.claimedBytes;
  readonly endBytes = plain.endBytes;
  readonly #memory = new KeyMemory();

  encrypter(desk: Omit<FormatDesk, 'store'>, asked: AskedEncryption | undefined): StoreEncrypter {
    return new InjectingEncrypter(desk, asked, this.#memory);
  }

  async identify({ ref, stored }: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    if (stored.encryptedAs === undefined) {
      desk.trace.unprotected++;
      if (!desk.policy.mixed) throw notEncrypted();
    }
    // What the store says of such an object cannot be verified. It counts as proven, because the policy accepts that.
    return proven(new InjectedObject({ format: this, desk, ref, stored }));
  }

  async begin({ metadata }: NewObject, plaintextBytes: number, { store }: FormatDesk): Promise<ObjectWriter> {
    return new PlainWriter(metadata, plaintextBytes, store.encrypter?.toldOfNew);
  }

  async beginPieces({ metadata }: NewObject, { store }: FormatDesk): Promise<PieceWriter> {
    return new PlainWriter(metadata, undefined, store.encrypter?.toldOfNew);
  }
}

function notEncrypted(): GatewayError {
  return new GatewayError(
    'ObjectNotSealed',
    'The store has the object without encryption, and the bucket’s policy does not allow plaintext (mixed).',
    { source: 'backend' },
  );
}
