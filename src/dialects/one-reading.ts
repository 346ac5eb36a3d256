import type { Resource } from '../operations/object.ts';
import type { WireRequest } from '../wire/message.ts';
import type {
  FrontDialect,
  FrontSettings,
  ParsedRequest,
  Reading,
  SignatureClaim,
  VerifiedBody,
} from './front-dialect.ts';

/** The functions of a dialect that has one reading of each request. Each becomes the `Reading` method of its name. */
export interface RequestReaders {
  resource(request: WireRequest, settings: FrontSettings): Resource;
  operationNamed(request: WireRequest, settings: FrontSettings): string | undefined;
  claim(request: WireRequest, settings: FrontSettings): SignatureClaim | undefined;
  parse(request: WireRequest, settings: FrontSettings): ParsedRequest;
  unsignedBody(request: WireRequest): VerifiedBody;
}

/** Makes `FrontDialect.readings` of these functions. */
export function oneReading(readers: RequestReaders): FrontDialect['readings'] {
  return (request, settings) => [new OneReading(readers, request, settings)];
}

class OneReading implements Reading {
  readonly #readers: RequestReaders;
  readonly #request: WireRequest;
  readonly #settings: FrontSettings;

  constructor(readers: RequestReaders, request: WireRequest, settings: FrontSettings) {
    this.#readers = readers;
    this.#request = request;
    this.#settings = settings;
  }

  resource(): Resource {
    return this.#readers.resource(this.#request, this.#settings);
  }

  operationNamed(): string | undefined {
    return this.#readers.operationNamed(this.#request, this.#settings);
  }

  claim(): SignatureClaim | undefined {
    return this.#readers.claim(this.#request, this.#settings);
  }

  parse(): ParsedRequest {
    return this.#readers.parse(this.#request, this.#settings);
  }

  unsignedBody(): VerifiedBody {
    return this.#readers.unsignedBody(this.#request);
  }
}
