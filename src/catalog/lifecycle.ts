/**
 * The end of a model: warned of sixty days before the day on which a host shuts it down, and told
 * from that day on together with what takes its place.
 */

const NOTICE_DAYS = 60;
const MS_PER_DAY = 86_400_000;

/** A model, or its offer at one host. */
export interface Mortal {
  /** As callers name it. */
  readonly id: string;
  /** ISO date of the first day on which it is gone, in UTC; null where none is known. */
  readonly shutdown: string | null;
  /** What its lab recommends in its place. */
  readonly successor: string | null;
}

export interface EndOfLife {
  readonly kind: 'ending' | 'ended';
  readonly date: string;
  /** Whole days until it is gone; 0 once it is. */
  readonly daysLeft: number;
  readonly successor: string | null;
  /** One sentence or two for the caller. */
  readonly message: string;
}

/** What a caller must be told about the end of a model; null while it is far or unknown. */
export function endOfLife({ id, shutdown, successor }: Mortal, nowMs: number): EndOfLife | null {
  if (shutdown === null) return null;
  const leftMs = Date.parse(shutdown) - nowMs;
  if (leftMs > NOTICE_DAYS * MS_PER_DAY) return null;
  const kind = leftMs > 0 ? 'ending' : 'ended';
  const daysLeft = Math.max(0, Math.ceil(leftMs / MS_PER_DAY));
  const message = endMessage({ id, shutdown, successor }, kind);
  return { kind, date: shutdown, daysLeft, successor, message };
}

/** The same words for a model that is no more, whatever the clock says. */
export function endMessage(
  { id, shutdown, successor }: Mortal & { readonly shutdown: string },
  kind: EndOfLife['kind'],
): string {
  const verb = kind === 'ended' ? 'was shut down' : 'shuts down';
  const instead = successor === null ? '' : ` Use '${successor}' instead.`;
  return `The model '${id}' ${verb} on ${shutdown}.${instead}`;
}
