/** What the listener grants a client. The names are those of the section `limits` in the configuration. */
export interface ServerLimits {
  /** The request line and all header fields; a larger head gets 431. Object keys and presigned queries count too. */
  readonly headerBytes: number;
  /** The longest time for the whole head of a request, from its first byte or from the connection on (slowloris). */
  readonly headerSeconds: number;
  /** The longest pause of a client within a body, in either direction. */
  readonly idleSeconds: number;
  /** How long an idle connection is kept. It is longer than the 60 s of load balancers, so that they close first. */
  readonly keepAliveSeconds: number;
  /**
   * The most connections in this process. Past it, an idle connection of the address that has most is closed, or the
   * newest one.
   */
  readonly maxConnections: number;
  /** How much memory incomplete heads and TLS handshakes may take. The default is HEAD_ROOM_BYTES. */
  readonly headRoomBytes?: number | undefined;
  /** The slowest upload, averaged over `idleSeconds` of waiting for the client alone. 0 turns the limit off. */
  readonly minUploadBytesPerSecond?: number | undefined;
}

export const DEFAULT_LIMITS: ServerLimits = {
  headerBytes: 32 * 1024,
  headerSeconds: 20,
  idleSeconds: 60,
  keepAliveSeconds: 75,
  maxConnections: 4096,
};

/** A sensor on a bad line reaches this rate; a client that sends a byte now and then to hold a connection does not. */
export const MIN_UPLOAD_BYTES_PER_SECOND = 1024;

/** If at most so many bytes of a body are unread, they are read and dropped, and the connection is kept. */
export const DRAIN_BYTES = 64 * 1024;

/**
 * Closing a socket with unread bytes makes TCP send a reset, and the reset can overtake the answer. So after an early
 * answer the gateway ends its sending side, and reads on for at most this time and this many bytes.
 */
export const LINGER_SECONDS = 5;
export const LINGER_BYTES = 64 * 1024 * 1024;

/** The default of `headRoomBytes`: a thousand heads of the default largest size. */
export const HEAD_ROOM_BYTES = 32 * 1024 * 1024;

/** How often the memory of incomplete heads is measured. In between, only the number of connections bounds it. */
export const GUEST_TICK_MILLISECONDS = 250;

/**
 * The most requests that one connection may have in flight. SDKs do not pipeline; more than this is an attack on
 * memory.
 */
export const MAX_PIPELINED = 16;
