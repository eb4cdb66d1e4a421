/**
 * A bound socket as proof of life: the kernel frees it when its process dies, however it dies, and
 * whoever finds it can ask who is there. One with a path is found through the directory it lies
 * in, from every container that has that directory.
 */
import { closeSync, openSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { StartRefused } from '#base/start-refused.ts';

const ASK_MS = 1000;
/** `sun_path` holds 104 bytes on macOS and 108 on Linux, with the zero at its end. */
const PATH_BYTES_MAX = 103;
const OWNS = 'owns';
const ASKS = 'asks';

/** Somebody who lives. */
export interface Neighbour {
  /** For a message: as much as it told us. */
  readonly who: string;
  /** False: it is about to find out whether it may. One that does not answer is an owner. */
  readonly owns: boolean;
}

/** Null: the name is taken. Rejects where the system has no such socket. */
export async function bindSocket(name: string, owns: () => boolean): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const answer = [process.pid, owns() ? OWNS : ASKS, hostname()].join(' ');
    // Whoever asks and then does not go away must not keep us from closing.
    socket.end(`${answer}\n`, () => socket.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (Reflect.get(error, 'code') === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => {
      // The lock alone is no reason for the process to live on.
      server.unref();
      resolve(server);
    });
  });
}

export async function closeSocket(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** Nobody is bound to it; the last: it is no socket. */
const DEAD = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

/** Null: nobody lives there. */
export async function askSocket(name: string): Promise<Neighbour | null> {
  return new Promise((resolve) => {
    const socket = createConnection(name);
    const done = (found: Neighbour | null): void => {
      socket.destroy();
      resolve(found);
    };
    const silent = { who: 'another process', owns: true };
    socket.setTimeout(ASK_MS, () => done(silent));
    socket.once('error', (error) => {
      done(DEAD.has(String(Reflect.get(error, 'code'))) ? null : silent);
    });
    socket.once('close', () => done(silent));
    socket.once('data', (bytes) => done(readAnswer(bytes.toString('utf8'))));
  });
}

function readAnswer(answer: string): Neighbour {
  const [pid = '', state, host] = answer.trim().split(' ');
  const isHere = host === undefined || host === hostname();
  const process = /^\d+$/.test(pid) ? `the process ${pid}` : 'another process';
  return { who: isHere ? process : `${process} on ${host}`, owns: state !== ASKS };
}

/** Whether anybody listens there, whatever it speaks. */
export async function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const done = (listens: boolean): void => {
      socket.destroy();
      resolve(listens);
    };
    socket.setTimeout(ASK_MS, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', (error) => done(!DEAD.has(String(Reflect.get(error, 'code')))));
  });
}

/** A directory as sockets in it are named. */
export interface SocketPlace {
  pathOf(name: string): string;
  /** Names that were made are valid until then. */
  close(): void;
}

/** `longest` is the longest name of a socket there. Throws where the path is too long. */
export function openSocketPlace(directory: string, longest: string): SocketPlace {
  if (Buffer.byteLength(join(directory, longest)) <= PATH_BYTES_MAX) {
    return { pathOf: (name) => join(directory, name), close: () => undefined };
  }
  if (process.platform !== 'linux') {
    throw new StartRefused(
      `The path ${directory} is too long for a socket in it: this system takes ` +
        `${PATH_BYTES_MAX} bytes with the socket's name. Set OMNIX_DATA_DIR to a shorter path.`,
    );
  }
  // The same directory under a name that is always short.
  const descriptor = openSync(directory, 'r');
  return {
    pathOf: (name) => `/proc/self/fd/${descriptor}/${name}`,
    close: () => closeSync(descriptor),
  };
}
