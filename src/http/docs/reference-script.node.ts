/** The reference's script on Node: a file beside this one, read when somebody asks for it. */
import { readFile } from 'node:fs/promises';

const FILE = new URL('./api-reference.js.gz', import.meta.url);

/** Gzipped JavaScript, about 1.3 MB. Written by scripts/docs/api-reference.ts. */
export async function readReferenceScript(): Promise<Uint8Array> {
  return readFile(FILE);
}
