/**
 * Models that are no chat, by litellm's modes: what goes in and what comes out. They have doors of
 * their own; the catalog knows their prices and limits.
 */
import type { Modality } from '#catalog/models.ts';

export type MediaMode = 'embedding' | 'audio_transcription' | 'audio_speech' | 'image_generation';

export const MEDIA: Readonly<
  Record<MediaMode, { readonly input: readonly Modality[]; readonly output: readonly Modality[] }>
> = {
  embedding: { input: ['text'], output: ['embedding'] },
  audio_transcription: { input: ['audio'], output: ['text'] },
  audio_speech: { input: ['text'], output: ['audio'] },
  image_generation: { input: ['text', 'image'], output: ['image'] },
};

const MODES = new Map<string, MediaMode>([
  ['embedding', 'embedding'],
  ['audio_transcription', 'audio_transcription'],
  ['audio_speech', 'audio_speech'],
  ['image_generation', 'image_generation'],
]);

export function mediaModeOf(mode: string | undefined): MediaMode | null {
  return MODES.get(mode ?? '') ?? null;
}

/**
 * Left out: previews, sizes and qualities that litellm lists as models, Google's image models (they
 * answer as chat), and what was retired before litellm's day.
 */
export const NO_MEDIA =
  /preview|exp-|^speech\/|^ft:|@|\d-x-\d|^(?:low|medium|high|hd|standard|max-x-max)\/|^(?:azure\/)?dall-e|gemini-.*image|imagen|^textembedding|realtime|playai|titan-image|stable-diffusion|^(?:us|eu|apac)\./;
