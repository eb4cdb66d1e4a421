/** What a client's connection may take of this process, whoever reads it. */

/** A slow client gets so long to send its headers, and its whole request. */
export const HEADERS_TIMEOUT_MS = 30_000;
export const REQUEST_TIMEOUT_MS = 300_000;
/** How long a connection is kept for the next request. */
export const KEEP_ALIVE_MS = 75_000;
export const HEADER_BYTES_MAX = 64 * 1024;
/** How long the rest of a refused body is read. */
export const REFUSED_BODY_MS_MAX = 2_000;
/** A client that takes nothing of an answer for so long has gone. */
export const CLIENT_STALL_MS = 120_000;
