/** qingstor-sdk 3.1.4 ships no types: what the tests use of it. Every call resolves or rejects as axios does. */
declare module 'qingstor-sdk' {
  export interface Answer {
    readonly status: number;
    /** Lower-case names. */
    readonly headers: Readonly<Record<string, string>>;
    /** Bytes, text or parsed JSON, as `getAxiosConfig`'s responseType says. */
    readonly data: unknown;
  }

  export interface Request {
    readonly operation: { readonly uri: string; readonly headers: Readonly<Record<string, string>> };
    /** Signs in the query, for so many seconds from now; then `operation.uri` is the URL. */
    signQuery(expiresInSeconds: number): Promise<Request>;
    send(): Promise<Answer>;
  }

  /** Options are parameters, headers and document fields alike, by their name on the wire. */
  type Options = Readonly<Record<string, unknown>>;

  export interface BucketClient {
    put(): Promise<Answer>;
    head(): Promise<Answer>;
    delete(): Promise<Answer>;
    getACL(): Promise<Answer>;
    getStatistics(): Promise<Answer>;
    listObjects(options?: Options): Promise<Answer>;
    deleteMultipleObjects(options: Options): Promise<Answer>;
    putObject(key: string, options?: Options): Promise<Answer>;
    getObject(key: string, options?: Options): Promise<Answer>;
    headObject(key: string, options?: Options): Promise<Answer>;
    deleteObject(key: string): Promise<Answer>;
    initiateMultipartUpload(key: string, options?: Options): Promise<Answer>;
    uploadMultipart(key: string, options: Options): Promise<Answer>;
    listMultipart(key: string, options: Options): Promise<Answer>;
    listMultipartUploads(options?: Options): Promise<Answer>;
    completeMultipartUpload(key: string, options: Options): Promise<Answer>;
    abortMultipartUpload(key: string, options: Options): Promise<Answer>;
    getPolicy(): Promise<Answer>;
    getCORS(): Promise<Answer>;
    putObjectRequest(key: string, options?: Options): Request;
    getObjectRequest(key: string, options?: Options): Request;
  }

  export class Config {
    constructor(options: {
      readonly access_key_id: string;
      readonly secret_access_key: string;
      readonly endpoint: string;
      readonly log_level?: string;
      readonly getAxiosConfig?: () => Readonly<Record<string, unknown>>;
    });
  }

  export class QingStor {
    constructor(config: Config);
    listBuckets(options?: Options): Promise<Answer>;
    /** Without a zone the host stays as configured. */
    Bucket(name: string, zone?: string): BucketClient;
  }
}
