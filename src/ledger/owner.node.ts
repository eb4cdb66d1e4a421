/**
 * Who this process is to the ledger: an id that stays with the data directory, because the journal
 * in it does too.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { isId, newId } from '#base/ids.ts';

const FILE_NAME = 'owner';
const FILE_MODE = 0o600;
const PREFIX = 'owner_';

/**
 * Reads the directory's id, or gives it one. Throws if it cannot be written, or holds something
 * else.
 */
export function readOwnerId(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, FILE_NAME);
  const known = readIfThere(path);
  if (known !== null) {
    if (isId(known, PREFIX)) return known;
    throw new Error(`${path} does not hold an owner's id; restore it, or its lease stays taken`);
  }
  const id = newId(PREFIX);
  const file = openSync(path, 'w', FILE_MODE);
  try {
    writeSync(file, `${id}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return id;
}

function readIfThere(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? null : text;
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return null;
    throw error;
  }
}
