/**
 * A plain reader of AWS's binary event streams, for recordings: the tests' own, so that the
 * gateway's reader is not judged by itself. Format:
 * https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html (read 2026-11).
 */
import { crc32 } from 'node:zlib';

export interface AwsFrameReading {
  /** `:event-type` or `:exception-type`. */
  readonly event: string;
  readonly payload: string;
}

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
const STRING_TYPE = 7;

/** Every frame of a whole stream. Throws where a length or a checksum is wrong. */
export function readAwsFrames(bytes: Buffer): AwsFrameReading[] {
  const frames: AwsFrameReading[] = [];
  for (let at = 0; at < bytes.length;) {
    const total = bytes.readUInt32BE(at);
    const frame = bytes.subarray(at, at + total);
    if (frame.length !== total) throw new Error('a frame is cut off');
    const crcAt = total - CRC_BYTES;
    if (frame.readUInt32BE(crcAt) !== crc32(frame.subarray(0, crcAt))) {
      throw new Error('a checksum is wrong');
    }
    const headersEnd = PRELUDE_BYTES + frame.readUInt32BE(4);
    const headers = readHeaders(frame.subarray(PRELUDE_BYTES, headersEnd));
    const event = headers.get(':event-type') ?? headers.get(':exception-type') ?? '';
    frames.push({ event, payload: frame.subarray(headersEnd, crcAt).toString('utf8') });
    at += total;
  }
  return frames;
}

/** Only strings: Bedrock sends no others. */
function readHeaders(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (bytes.readUInt8(nameEnd) !== STRING_TYPE) throw new Error('a header is no string');
    const valueAt = nameEnd + 3;
    const valueEnd = valueAt + bytes.readUInt16BE(nameEnd + 1);
    const name = bytes.subarray(at + 1, nameEnd).toString('utf8');
    headers.set(name, bytes.subarray(valueAt, valueEnd).toString('utf8'));
    at = valueEnd;
  }
  return headers;
}
