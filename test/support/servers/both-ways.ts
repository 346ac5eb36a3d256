import { type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { backendClient, onceClient } from '../sight.ts';
import type { standOnMinio } from './stand.ts';

/** Any command of the SDK: each has a type of its own. */
type Command = { readonly middlewareStack: object };
type AnyCommand = Parameters<S3Client['send']>[0];

/** One of two ways to the same MinIO: through the gateway, or straight. */
export interface Way {
  readonly client: S3Client;
  /** What the buckets of a test are called on this way. */
  readonly bucket: (name: string) => string;
  /** Version ids and ETags that a test keeps from one request to the next. */
  readonly kept: Record<string, string>;
}

/** What an answer said, without what is each server's own. */
export interface Told {
  readonly status: number | undefined;
  /** S3's code, for an error that has a body. */
  readonly code?: string;
  readonly fields?: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Each server's own, or of the connection; and what the SDK adds for itself. */
const OWN_HEADERS =
  /^(?:accept-ranges|allow|connection|content-length|content-type|date|expiresstring|keep-alive|server|strict-transport-security|transfer-encoding|vary|x-amz-server-side-encryption|x-amz-bucket-region|x-amz-id-2|x-amz-request-id|x-content-type-options|x-minio-.*|x-ratelimit-.*|x-xss-protection)$/;

const VERSION_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const ETAG = /"?[0-9a-f]{32}(?:-\d+)?"?/g;
const DATE = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g;

/** Runs the same requests through the gateway and straight at its MinIO, and expects the same answers. */
export class BothWays {
  readonly ways: readonly [through: Way, direct: Way];
  readonly #labels = new Map<Way, Map<string, string>>();

  constructor(stand: Awaited<ReturnType<typeof standOnMinio>>) {
    this.ways = [
      { client: onceClient(stand.gateway), bucket: (name) => `acme-${name}`, kept: {} },
      { client: backendClient(stand.minio), bucket: (name) => `direct-${name}`, kept: {} },
    ];
    for (const way of this.ways) this.#labels.set(way, new Map());
  }

  /**
   * @param make the request, of a way's own buckets and kept version ids
   * @param keep what to call the version id of the answer
   */
  async same(name: string, make: (way: Way) => Command, keep?: string): Promise<Told> {
    const [through, direct] = await this.both(make, keep);
    expect([name, through]).toEqual([name, direct]);
    return through;
  }

  async both(make: (way: Way) => Command, keep?: string): Promise<[through: Told, direct: Told]> {
    const [through, direct] = this.ways;
    return [await this.#told(through, make(through), keep), await this.#told(direct, make(direct), keep)];
  }

  destroy(): void {
    for (const { client } of this.ways) client.destroy();
  }

  async #told(way: Way, command: Command, keep: string | undefined): Promise<Told> {
    let status: number | undefined;
    let headers: Record<string, string> = {};
    const sent = command as AnyCommand;
    sent.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        ({ statusCode: status, headers } = result.response as { statusCode: number; headers: Record<string, string> });
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'seen' },
    );
    const told = await way.client.send(sent).then(
      async (answer) => {
        const { $metadata, Body, ServerSideEncryption, ...fields } = answer as unknown as Record<string, unknown> & {
          Body?: { transformToString(): Promise<string> };
        };
        if (keep !== undefined) way.kept[keep] = (fields.VersionId ?? '') as string;
        return { fields: { ...fields, ...(Body !== undefined && { Body: await Body.transformToString() }) } };
      },
      (error: unknown) => {
        if (!(error instanceof S3ServiceException)) throw error;
        return { code: error.name };
      },
    );
    const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
    return this.#plain(way, { status, ...told, headers: Object.fromEntries(own) });
  }

  /** Names that differ by way, id, moment or cipher replaced by what they stand for. */
  #plain(way: Way, told: Told): Told {
    const labels = this.#labels.get(way) as Map<string, string>;
    const label = (id: string) => {
      if (!labels.has(id)) labels.set(id, `version ${labels.size + 1}`);
      return labels.get(id) as string;
    };
    const text = (value: string) =>
      value.replaceAll(way.bucket(''), '').replace(VERSION_ID, label).replace(ETAG, 'etag').replace(DATE, 'date');
    return JSON.parse(
      JSON.stringify(told, (_name, value: unknown) => {
        // An element without text says as little as none.
        if (value === '') return undefined;
        return typeof value === 'string' ? text(value) : value;
      }),
    ) as Told;
  }
}
