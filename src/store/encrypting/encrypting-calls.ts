import type { BackendCall, StoreComplete, StoreUpload } from '../../dialects/backend-calls.ts';
import type { BackendDialect } from '../../dialects/backend-dialect.ts';
import { explained } from '../../dialects/store-claim.ts';
import type { StoredEncryption, StoreEncryption, StoreKey } from '../../dialects/store-encryption.ts';
import type { StoredAck } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import {
  type About,
  type AskOptions,
  errorDocument,
  isSuccess,
  type SendOptions,
  StoreCalls,
  type StoreConnection,
  type StoreOptions,
} from '../calls.ts';
import { type KeyTry, type NewEncryption, NO_KEY, type StoreEncrypter } from './encrypter.ts';
import { KeyTries } from './key-tries.ts';
import { cannotEncrypt, ignoresEncryption, needsTls, noKeyFits } from './refusals.ts';
import { verifiedWrite, type Written } from './verified-write.ts';

type OfObject = { readonly ref: ObjectRef };
type OfUpload = StoreUpload & { readonly partNumber?: number };

/**
 * Runs rows as StoreCalls does, and has the store encrypt by itself. It adds to each request the encryption that it
 * needs, so that nobody above knows of it:
 *
 * - to one that begins an object or an upload, what a new object shall have;
 * - to one about an object or an upload that exists, its key, where the store does not keep it. Which one that is can
 *   only be found out by trying: a store answers 403 to another key, and 400 to a key too many or to none.
 *
 * What the store acknowledges is looked at. An object that lies there without the encryption that was asked for is
 * removed again, and the write fails.
 */
export class EncryptingCalls extends StoreCalls {
  readonly #encrypter: StoreEncrypter;
  /** The refusals of objects for which every key was tried. */
  readonly #unopened = new WeakSet<IncomingResponse>();

  constructor(
    dialect: BackendDialect,
    connection: StoreConnection,
    options: StoreOptions & { readonly encrypter: StoreEncrypter },
  ) {
    super(dialect, connection, options);
    this.#encrypter = options.encrypter;
  }

  override async run<Asked extends About, Answer>(
    call: BackendCall<Asked, Answer> | undefined,
    asked: Asked,
    options: AskOptions,
  ): Promise<Answer> {
    const { put, copy, createUpload, uploadPart, copyPart, completeUpload } = this.dialect.calls;
    const run = (encryption: StoreEncryption | undefined) => super.run(call, { ...asked, encryption }, options);
    const again = (error: unknown) => {
      if (isInvalidRequest(error)) return super.run(call, asked, options);
      throw error;
    };
    switch (call as unknown) {
      case undefined:
        return super.run(call, asked, options);
      case put:
      case copy: {
        const { ref } = asked as unknown as OfObject;
        const fresh = await this.#forNew(ref);
        const { encryption } = fresh;
        const ack = (await run(encryption).catch(cannotBe(encryption.kind))) as StoredAck;
        this.#remember(ref, ack, fresh.version);
        return this.#verified(ack, { ref, asked: encryption, kind: encryption.kind }) as Answer;
      }
      case createUpload: {
        const { ref } = asked as unknown as OfObject;
        const { encryption, version } = await this.#forNew(ref);
        const uploadId = await run(encryption).catch(cannotBe(encryption.kind));
        const { memory, toldOfNew } = this.#encrypter;
        memory.setUpload({ ref, uploadId: uploadId as string }, { version, told: toldOfNew });
        return uploadId;
      }
      case uploadPart:
      case copyPart:
        return run(await this.#uploadKey(asked as unknown as OfUpload, options));
      case completeUpload: {
        const upload = asked as unknown as StoreComplete;
        const key = await this.#keyForConditions(upload, options);
        const completing = key === undefined ? super.run(call, asked, options) : run(key).catch(again);
        return this.#completed((await completing) as StoredAck, upload) as Answer;
      }
      default:
        return super.run(call, asked, options);
    }
  }

  override async send<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    options: SendOptions,
  ): Promise<IncomingResponse> {
    const { get, head, impossiblePart } = this.dialect.calls;
    switch (call as unknown) {
      case get:
      case head:
        return this.#open(call, asked, options);
      case impossiblePart: {
        const encryption = await this.#uploadKey(asked as unknown as OfUpload, options);
        return super.send(call, { ...asked, encryption }, options);
      }
      default:
        return super.send(call, asked, options);
    }
  }

  override toldOfUpload(upload: StoreUpload, says?: StoredEncryption): EncryptionFacts | undefined {
    const { memory, toldOfNew } = this.#encrypter;
    const known = memory.upload(upload)?.told;
    if (known !== undefined) return known;
    if (says !== undefined) return this.#encrypter.told(says);
    // Which KMS key an upload has that somebody else began only the store could tell.
    return toldOfNew.kind === 'kms' ? undefined : toldOfNew;
  }

  async #forNew(ref: ObjectRef): Promise<NewEncryption> {
    const { bringsKeys, memory } = this.#encrypter;
    if (bringsKeys && this.connection.secure === false) throw needsTls();
    const fresh = await this.#encrypter.forNew(ref);
    const { heedsEncryption } = this.options.findings.capabilities;
    if (!heedsEncryption || memory.isDistrusted(fresh.encryption.kind)) {
      this.#encrypter.noteUnprotected();
      throw ignoresEncryption(fresh.encryption.kind);
    }
    return fresh;
  }

  /** Asks for an object with one key after the other, until one fits. */
  async #open<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    options: SendOptions,
  ): Promise<IncomingResponse> {
    const { ref } = asked as unknown as OfObject;
    const { bringsKeys, memory } = this.#encrypter;
    const remembered = memory.object(ref);
    if (!bringsKeys && remembered === undefined) {
      // Most objects of such a bucket need no key, and then nobody looks for any.
      const unkeyed = await super.send(call, asked, options);
      if (unkeyed.status !== 400) return unkeyed;
      unkeyed.discard();
    }
    const tries = new KeyTries(await this.#triesFor(ref), remembered);
    if (!bringsKeys && remembered === undefined) tries.goesOnAfter(400);
    let answer: IncomingResponse;
    do {
      const { version, key } = tries.current;
      answer = await super.send(call, { ...asked, encryption: key() }, options);
      if (isSuccess(answer)) {
        if (version !== remembered && (version !== tries.first.version || remembered !== undefined)) {
          memory.setObject(ref, version);
        }
        return answer;
      }
    } while (tries.goesOnAfter(answer.status) && discarded(answer));
    if (answer.status === 403 && tries.current.version !== NO_KEY) this.#unopened.add(answer);
    return answer;
  }

  override async refusal(response: IncomingResponse, asked: About) {
    const refusal = await super.refusal(response, asked);
    if (!this.#unopened.has(response)) return refusal;
    return refusal instanceof GatewayError && refusal.code === 'AccessDenied' ? noKeyFits(refusal) : refusal;
  }

  async #triesFor(ref: ObjectRef): Promise<readonly KeyTry[]> {
    const tries = await this.#encrypter.triesFor(ref);
    return this.connection.secure === false ? tries.filter(({ version }) => version === NO_KEY) : tries;
  }

  /**
   * The key of an upload under way, which must be known before a part is sent, because a part may be a stream that
   * comes once. Where this process did not begin the upload, a part that no store takes tells which key fits.
   */
  async #uploadKey(upload: OfUpload, options: SendOptions): Promise<StoreKey | undefined> {
    const { memory, bringsKeys } = this.#encrypter;
    const remembered = memory.upload(upload);
    if (remembered === undefined && !bringsKeys) return undefined;
    const all = await this.#triesFor(upload.ref);
    if (remembered !== undefined) return all.find(({ version }) => version === remembered.version)?.key();
    const { ref, uploadId, partNumber } = upload;
    const { impossiblePart } = this.dialect.calls;
    const tries = new KeyTries(all, undefined);
    for (;;) {
      const { version, key } = tries.current;
      const encryption = key();
      const answer = await super.send(impossiblePart, { ref, uploadId, partNumber, encryption }, options);
      const document = await errorDocument(answer);
      if (impossiblePart.read(document, answer)) {
        memory.setUpload({ ref, uploadId }, { version, told: undefined });
        return encryption;
      }
      if (!tries.goesOnAfter(answer.status)) throw explained(this.refusalIn(answer, document, upload), undefined);
    }
  }

  /**
   * A key to complete an upload with on conditions: MinIO needs one to hold them against an object that has a key,
   * which may be any, and refuses one for an object without.
   */
  async #keyForConditions(upload: StoreComplete, options: SendOptions): Promise<StoreKey | undefined> {
    const { ifMatch, ifNoneMatch } = upload.conditions;
    return (ifMatch ?? ifNoneMatch) === undefined ? undefined : this.#uploadKey(upload, options);
  }

  async #completed(ack: StoredAck, upload: StoreUpload): Promise<StoredAck> {
    const { ref } = upload;
    const { memory, bringsKeys, toldOfNew } = this.#encrypter;
    const remembered = memory.upload(upload);
    memory.forgetUpload(upload);
    if (remembered !== undefined) this.#remember(ref, ack, remembered.version);
    const kind = toldOfNew.kind === 'kms' ? 'kms' : bringsKeys ? 'customer' : 'managed';
    return this.#verified(ack, { ref, asked: undefined, kind });
  }

  #remember(ref: ObjectRef, { versionId }: StoredAck, version: number): void {
    const { memory, bringsKeys } = this.#encrypter;
    if (!bringsKeys) return;
    memory.setObject(ref, version);
    if (versionId !== undefined) memory.setObject({ ...ref, versionId }, version);
  }

  /** Whoever may write need not have the right to read, so the gateway looks with its own. */
  #verified(ack: StoredAck, written: Written): Promise<StoredAck> {
    const { dialect, connection, options } = this;
    const encrypter = this.#encrypter;
    const gateway = new EncryptingCalls(dialect, connection, { ...options, identity: undefined, encrypter });
    return verifiedWrite(ack, written, { gateway, encrypter });
  }
}

/** Gives an answer's body up. */
function discarded(answer: IncomingResponse): true {
  answer.discard();
  return true;
}

/** Whether a store refused a request for its form, and so has done nothing. */
function isInvalidRequest(error: unknown): boolean {
  return error instanceof GatewayError && error.said?.status === 400 && error.said.code === 'InvalidRequest';
}

/** Names the encryption in the error of a store that does not have it. */
function cannotBe(kind: StoreEncryption['kind']): (error: unknown) => never {
  return (error) => {
    throw error instanceof GatewayError && error.code === 'NotImplemented' ? cannotEncrypt(kind, error) : error;
  };
}
