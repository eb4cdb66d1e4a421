/**
 * The messages of a chat request, by role, open for the fields that hosts add (reasoning_content
 * ...).
 */
import { z } from '../z.ts';
import { contentSchema } from './content.ts';

export const functionCallSchema = z
  .looseObject({ name: z.string(), arguments: z.string().describe('JSON text.') })
  .meta({ id: 'FunctionCall' });

/** A call that the model made earlier. Some clients leave `type` out where it is a function's. */
const toolCallSchema = z
  .looseObject({
    id: z.string().nullish(),
    type: z.string().nullish(),
    function: functionCallSchema.nullish(),
    custom: z.looseObject({ name: z.string(), input: z.string() }).nullish(),
  })
  .meta({ id: 'ToolCallInput' });

const instructionFields = { content: contentSchema, name: z.string().nullish() };

export const messageSchema = z
  .discriminatedUnion('role', [
    z.looseObject({ role: z.literal('user'), ...instructionFields }).meta({ id: 'UserMessage' }),
    z
      .looseObject({
        role: z.literal('assistant'),
        content: contentSchema.optional(),
        name: z.string().nullish(),
        refusal: z.string().nullish(),
        tool_calls: z.array(toolCallSchema).nullish(),
        function_call: functionCallSchema.nullish(),
        audio: z.looseObject({ id: z.string() }).nullish(),
      })
      .meta({ id: 'AssistantMessage' }),
    z
      .looseObject({ role: z.literal('tool'), content: contentSchema, tool_call_id: z.string() })
      .meta({ id: 'ToolMessage' }),
    z
      .looseObject({ role: z.literal('system'), ...instructionFields })
      .meta({ id: 'SystemMessage' }),
    z
      .looseObject({ role: z.literal('developer'), ...instructionFields })
      .meta({ id: 'DeveloperMessage' }),
    z
      .looseObject({ role: z.literal('function'), content: contentSchema, name: z.string() })
      .meta({ id: 'FunctionMessage' }),
  ])
  .meta({ id: 'ChatMessage' });
