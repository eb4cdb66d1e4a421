/**
 * Ids of tool calls in Mistral's form: nine letters or digits. A conversation that began at another
 * host has ids of another form, which Mistral refuses.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 9;

/**
 * The id itself where it fits, else nine characters made of it, always the same for the same id.
 */
export function toMistralCallId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id;
  let made = '';
  let hash = 0x81_1c_9d_c5;
  for (let round = 0; round < LENGTH; round += 1) {
    hash = hashOf(`${round}:${id}`, hash);
    made += ALPHABET.charAt(hash % ALPHABET.length);
  }
  return made;
}

/** FNV-1a, seeded: spreads well enough for the calls of one conversation. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93) >>> 0;
  }
  return hash;
}
