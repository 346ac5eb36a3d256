/** What the listener grants a client. The names are those of the configuration's `limits`. */
export interface ServerLimits {
  /** Request line and header fields; past it 431. Object keys and presigned queries count too. */
  readonly headerBytes: number;
  /** For the whole head of a request, from the first byte or from the connection (slowloris). */
  readonly headerSeconds: number;
  /** Longest pause of a client within a body, in either direction. */
  readonly idleSeconds: number;
  /** How long an idle connection is kept: longer than load balancers' 60 s, so that they close first. */
  readonly keepAliveSeconds: number;
  /** At most, in this process; past it those that idle make room, of the address that has most, or the newest is closed. */
  readonly maxConnections: number;
  /** What heads that are not whole yet, and TLS handshakes, may take. Default 32 MiB. */
  readonly headRoomBytes?: number | undefined;
  /** Averaged over `idleSeconds` of waiting for the client alone. 0 turns it off. */
  readonly minUploadBytesPerSecond?: number | undefined;
}

export const DEFAULT_LIMITS: ServerLimits = {
  headerBytes: 32 * 1024,
  headerSeconds: 20,
  idleSeconds: 60,
  keepAliveSeconds: 75,
  maxConnections: 4096,
};

/** A sensor on a bad line manages this; a client that sends a byte now and then to hold a connection does not. */
export const MIN_UPLOAD_BYTES_PER_SECOND = 1024;

/** An unread rest of a body up to this size is read and thrown away, and the connection stays. */
export const DRAIN_BYTES = 64 * 1024;

/**
 * Closing a socket with unread bytes makes TCP send a reset, and the reset can overtake the answer. So after an early
 * answer the gateway says that it will send no more, and reads on for a while: as long, and as much, as this.
 */
export const LINGER_SECONDS = 5;
export const LINGER_BYTES = 64 * 1024 * 1024;

/** Where nobody says otherwise, a thousand heads of the most that they may have. */
export const HEAD_ROOM_BYTES = 32 * 1024 * 1024;

/** How often heads that are not whole are looked at: in between only the count of connections bounds them. */
export const GUEST_TICK_MILLISECONDS = 250;

/** Requests of one connection at once. SDKs do not pipeline; more than this is an attempt on memory. */
export const MAX_PIPELINED = 16;
