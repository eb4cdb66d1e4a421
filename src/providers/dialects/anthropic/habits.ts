/**
 * What may differ from host to host that serves the Messages dialect, as data: Anthropic itself,
 * Vertex, Azure, Bedrock's raw invocations. A host names only what is particular to it.
 */

export interface MessagesHabits {
  /** Whether the body names the model. Hosts that have it in the address refuse it there. */
  readonly modelInBody: boolean;
  /** `anthropic_version` as a member of the body; null where it is a header. */
  readonly bodyVersion: string | null;
  /** Whether `stream` stands in the body. False where the address alone decides. */
  readonly streamInBody: boolean;
  /** Where names of betas go: the `anthropic-beta` header, or `anthropic_beta` in the body. */
  readonly betas: 'header' | 'body';
  /** Whether `output_config.format` is understood; else a forced tool stands in for it. */
  readonly nativeOutput: boolean;
  /** Whether images and documents may be given by their address. */
  readonly mediaUrls: boolean;
  /** Whether `service_tier` is understood. */
  readonly serviceTier: boolean;
}

export const DEFAULT_HABITS: MessagesHabits = {
  modelInBody: true,
  bodyVersion: null,
  streamInBody: true,
  betas: 'header',
  nativeOutput: true,
  mediaUrls: true,
  serviceTier: true,
};
