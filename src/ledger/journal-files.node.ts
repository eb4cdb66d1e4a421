/**
 * The few file operations that the journal needs, as a port: tests make them fail in the ways that
 * disks do.
 */
import {
  closeSync,
  fdatasync,
  fsync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface JournalFiles {
  /** Names of all files, in no order. */
  list(): readonly string[];
  /** Creates a file that must not exist yet, and returns its descriptor. */
  create(name: string): number;
  /** Returns how many bytes were written, which may be fewer. */
  write(file: number, bytes: Uint8Array, offset: number): number;
  truncate(file: number, size: number): void;
  /** Brings the file's content to the disk. */
  sync(file: number): Promise<void>;
  close(file: number): void;
  read(name: string): Promise<Uint8Array>;
  rename(name: string, to: string): void;
  remove(name: string): void;
}

/** Only we may read it: receipts stand in it. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** The files of a directory, which is created if it is missing. Throws what node:fs throws. */
export function nodeJournalFiles(directory: string): JournalFiles {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  return {
    list: () => readdirSync(directory),
    create: (name) => {
      const file = openSync(join(directory, name), 'ax', FILE_MODE);
      syncDirectory(directory);
      return file;
    },
    write: (file, bytes, offset) => writeSync(file, bytes, offset),
    truncate: ftruncateSync,
    sync: (file) =>
      new Promise((resolve, reject) => {
        fdatasync(file, (error) => (error === null ? resolve() : reject(error)));
      }),
    close: closeSync,
    read: (name) => readFile(join(directory, name)),
    rename: (name, to) => renameSync(join(directory, name), join(directory, to)),
    remove: (name) => rmSync(join(directory, name), { force: true }),
  };
}

/**
 * So that a new file's name survives a power loss too. Off the path, and best effort: not every
 * platform can.
 */
function syncDirectory(directory: string): void {
  open(directory, 'r', (openError, handle) => {
    if (openError !== null) return;
    fsync(handle, () => closeSync(handle));
  });
}
