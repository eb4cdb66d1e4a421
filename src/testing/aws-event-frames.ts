/**
 * Frames of AWS's event stream as a service writes them: the other side of
 * `base/aws-event-stream.ts`, made with zlib's checksums so that neither side proves itself.
 */
import { crc32 } from 'node:zlib';

/** `type` is the format's number of the value's kind; a string is 7. */
export interface AwsHeader {
  readonly name: string;
  readonly type: number;
  readonly bytes: Uint8Array;
}

const PRELUDE_BYTES = 12;
const TYPE_BYTES = 6;
const TYPE_STRING = 7;

function headerBytes({ name, type, bytes }: AwsHeader): Buffer {
  const length = Buffer.alloc(type === TYPE_BYTES || type === TYPE_STRING ? 2 : 0);
  if (length.length > 0) length.writeUInt16BE(bytes.length);
  return Buffer.concat([
    Buffer.from([Buffer.byteLength(name)]),
    Buffer.from(name),
    Buffer.from([type]),
    length,
    bytes,
  ]);
}

export function stringHeader(name: string, value: string): AwsHeader {
  return { name, type: TYPE_STRING, bytes: Buffer.from(value) };
}

/** The first twelve bytes of a frame: its lengths and their checksum. */
export function awsPrelude(totalBytes: number, headersBytes: number): Buffer {
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt32BE(totalBytes, 0);
  prelude.writeUInt32BE(headersBytes, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  return prelude;
}

export function awsFrame(headers: readonly AwsHeader[], payload: string): Buffer {
  const head = Buffer.concat(headers.map(headerBytes));
  const body = Buffer.from(payload);
  const prelude = awsPrelude(PRELUDE_BYTES + head.length + body.length + 4, head.length);
  const before = Buffer.concat([prelude, head, body]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(before));
  return Buffer.concat([before, end]);
}

/** An event of the service, as Bedrock sends them. */
export function awsEventFrame(event: string, payload: string): Buffer {
  return awsFrame(
    [
      stringHeader(':event-type', event),
      stringHeader(':content-type', 'application/json'),
      stringHeader(':message-type', 'event'),
    ],
    payload,
  );
}

export function awsExceptionFrame(exception: string, payload: string): Buffer {
  return awsFrame(
    [
      stringHeader(':exception-type', exception),
      stringHeader(':content-type', 'application/json'),
      stringHeader(':message-type', 'exception'),
    ],
    payload,
  );
}
