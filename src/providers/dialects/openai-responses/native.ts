/** The name under which fields of OpenAI's Responses travel in the common form. */
export const RESPONSES = 'openai-responses';

/** Marks a part as made by a Responses model, so that it may go back to one. */
export const OWN = { [RESPONSES]: {} } as const;
