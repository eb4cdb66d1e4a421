/** The name under which Cohere's own fields travel in the common form. */
export const COHERE = 'cohere';

/**
 * The id of the reasoning part that Cohere writes as `tool_plan` and not as a block of content. An
 * id comes back from every client that returns reasoning at all, so the plan finds its place.
 */
export const PLAN_ID = 'tool_plan';

/** Marks a part as Cohere's own, so that it may go back there. */
export const OWN = { [COHERE]: {} } as const;
