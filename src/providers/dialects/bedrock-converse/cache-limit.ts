/** Converse refuses a fifth cache point. The oldest of the messages are the ones to miss least. */
import { isCachePoint } from './encode-parts.ts';
import type { Block } from './media.ts';
import { warn } from './place.ts';
import type { Place } from './place.ts';

const CACHE_POINTS_MAX = 4;

/** Takes surplus points out of the lists, in the order in which the lists are given. */
export function limitCachePoints(lists: readonly Block[][], place: Place): void {
  let surplus = -CACHE_POINTS_MAX;
  for (const list of lists) surplus += list.filter(isCachePoint).length;
  if (surplus <= 0) return;
  const message = `A request has at most ${CACHE_POINTS_MAX} cache points; the oldest were left out.`;
  warn(place, 'dropped', { param: 'messages[].content[].cache_control', message });
  for (const list of lists) {
    for (let at = 0; at < list.length && surplus > 0; at += 1) {
      if (!isCachePoint(list[at])) continue;
      list.splice(at, 1);
      at -= 1;
      surplus -= 1;
    }
  }
}
