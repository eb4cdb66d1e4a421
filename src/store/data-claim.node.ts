/**
 * The lock that lies in the data directory itself, for those whom no other name reaches: processes
 * in other containers with the same volume. Whoever wants the directory puts a socket of its own
 * into it and then asks the sockets of all others. No name is used twice, so that taking away a
 * dead one can never hit a living one, and no step depends on how fast another is.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError } from '#base/describe-error.ts';
import { StartRefused } from '#base/start-refused.ts';

import {
  askSocket,
  bindSocket,
  closeSocket,
  type Neighbour,
  openSocketPlace,
  type SocketPlace,
} from './lock-socket.node.ts';

export interface Claim {
  release(): Promise<void>;
}

const PREFIX = '.owner-';
const NAME_BYTES = 8;
const POLL_MS = 10;

/** The claim, or who has it. */
export async function claimDirectory(directory: string): Promise<Claim | Neighbour> {
  const name = PREFIX + randomBytes(NAME_BYTES).toString('hex');
  const place = openSocketPlace(directory, name);
  const state = { owns: false };
  const server = await announce(directory, place.pathOf(name), () => state.owns);
  const release = async (): Promise<void> => {
    await closeSocket(server);
    place.close();
  };
  try {
    const earlier = await findEarlier({ directory, place, name });
    // No pause between the last question and this: who asks us from here on is told.
    state.owns = earlier === null;
    if (earlier === null) return { release };
    await release();
    return earlier;
  } catch (error) {
    await release();
    throw error;
  }
}

async function announce(directory: string, path: string, owns: () => boolean): Promise<Server> {
  const server = await bindSocket(path, owns).catch((error: unknown) => {
    throw new StartRefused(
      `The data directory ${directory} cannot be locked: its file system makes no socket ` +
        `(${describeError(error)}). Set OMNIX_DATA_DIR to a directory on a disk of this machine.`,
      { cause: error },
    );
  });
  if (server === null) throw new Error('a random name was taken');
  return server;
}

interface Mine {
  readonly directory: string;
  readonly place: SocketPlace;
  readonly name: string;
}

/**
 * Who goes before us; null: nobody. Of two that ask at the same time each sees the other, or the
 * later one sees that the earlier one owns it: the lesser name goes on, the greater one withdraws.
 */
async function findEarlier(mine: Mine): Promise<Neighbour | null> {
  for (;;) {
    const others = await findOthers(mine);
    const first = others.find(({ owns }) => owns) ?? others.find(({ name }) => name < mine.name);
    if (first !== undefined) return first;
    if (others.length === 0) {
      // Between bind and listen it looks dead: then somebody else has taken it away.
      const isSeen = existsSync(mine.place.pathOf(mine.name));
      return isSeen ? null : { who: 'another process', owns: false };
    }
    await sleep(POLL_MS);
  }
}

async function findOthers({
  directory,
  place,
  name: own,
}: Mine): Promise<readonly (Neighbour & { readonly name: string })[]> {
  const names = readdirSync(directory).filter((name) => name.startsWith(PREFIX) && name !== own);
  const asked = names.map(async (name) => {
    const neighbour = await askSocket(place.pathOf(name));
    if (neighbour !== null) return [{ ...neighbour, name }];
    rmSync(place.pathOf(name), { force: true });
    return [];
  });
  return (await Promise.all(asked)).flat();
}
