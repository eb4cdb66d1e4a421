/**
 * Rules on what code does: state of a module, floats, providers' ids, raw SQL, sleeping and mocking
 * tests.
 */
import { type LintPlace, type LintRule, pathOf } from './rule.ts';

const FLOAT_FUNCTIONS = new Set(['Number', 'parseFloat']);
const FLOAT_METHODS = new Set([
  'round',
  'floor',
  'ceil',
  'trunc',
  'fround',
  'random',
  'parseFloat',
  'toFixed',
]);
const PROVIDER_NAME = /^provider(id|name)?$/i;
const SLEEP_NAMES = new Set(['setTimeout', 'sleep', 'delay', 'wait']);

/** The name after the dot, or '' if there is none. */
function memberName(callee: { readonly type: string; readonly property?: unknown }): string {
  const { property } = callee;
  if (typeof property !== 'object' || property === null || !('name' in property)) return '';
  return typeof property.name === 'string' ? property.name : '';
}

/** What belongs to a request travels in its `Call`, what belongs to the process in `Services`. */
const noModuleState: LintRule = {
  create: (context) => ({
    VariableDeclaration(node) {
      const { parent } = node;
      const atTop =
        parent.type === 'Program' ||
        (parent.type === 'ExportNamedDeclaration' && parent.parent.type === 'Program');
      if (atTop && (node.kind === 'let' || node.kind === 'var')) {
        context.report({ node, message: 'No module-level state: pass it in.' });
      }
    },
  }),
};

/**
 * Money is a bigint. Literals that are not whole and conversions to number are floats in waiting.
 */
const noFloat: LintRule = {
  create: (context) => ({
    Literal(node) {
      if (typeof node.value === 'number' && !Number.isSafeInteger(node.value)) {
        context.report({ node, message: 'Money knows no fractions: use bigint.' });
      }
    },
    UnaryExpression(node) {
      if (node.operator !== '+') return;
      context.report({ node, message: 'A conversion to number makes a float: use bigint.' });
    },
    CallExpression(node) {
      const { callee } = node;
      const name = callee.type === 'Identifier' ? callee.name : memberName(callee);
      if (callee.type === 'Identifier' ? !FLOAT_FUNCTIONS.has(name) : !FLOAT_METHODS.has(name))
        return;
      context.report({ node, message: `${name}() makes a float: use bigint.` });
    },
  }),
};

/**
 * Names of providers are data. The rule's options are the ids, read from the folders of
 * src/providers.
 */
const noProviderId: LintRule = {
  meta: { schema: { type: 'array', items: { type: 'string' } } },
  create(context) {
    const ids = context.options.filter((option) => typeof option === 'string');
    const path = pathOf(context);
    const check = (node: LintPlace, text: string): void => {
      const id = ids.find((candidate) => text === candidate || text.startsWith(`${candidate}/`));
      if (id === undefined || path.startsWith(`src/providers/${id}/`)) return;
      context.report({ node, message: `"${id}" is for its folder, the registry and data.` });
    };
    return {
      Literal(node) {
        const isSource = /^(Import|Export)/.test(node.parent.type);
        if (typeof node.value === 'string' && !isSource) check(node, node.value);
      },
      TemplateElement: (node) => check(node, node.value.cooked ?? ''),
    };
  },
};

/**
 * What providers do differently is a function or a datum in their folder, never a switch over them.
 */
const noProviderSwitch: LintRule = {
  create: (context) => ({
    SwitchStatement(node) {
      const { discriminant } = node;
      const subject =
        discriminant.type === 'MemberExpression' ? discriminant.property : discriminant;
      if (subject.type === 'Identifier' && PROVIDER_NAME.test(subject.name)) {
        context.report({
          node,
          message: 'No switch over providers: make it a part of the provider spec.',
        });
      }
    },
  }),
};

/** Every value in SQL is a parameter; text that stands in the code has none. */
const noRawSql: LintRule = {
  create: (context) => ({
    CallExpression(node) {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
      const ofSql = callee.object.type === 'Identifier' && callee.object.name === 'sql';
      const name = callee.property.name;
      if (node.arguments[0]?.type === 'Literal') return;
      if (name === 'unsafe' || (name === 'raw' && ofSql)) {
        context.report({
          node,
          message: 'Raw SQL: write it as a template whose values are parameters.',
        });
      }
    },
  }),
};

/** A test waits for a condition and not for time. */
const noSleep: LintRule = {
  create: (context) => ({
    AwaitExpression(node) {
      const waited = node.argument;
      const text = waited.type === 'NewExpression' ? context.sourceCode.getText(waited) : '';
      const called = waited.type === 'CallExpression' ? waited.callee : undefined;
      const named = called?.type === 'Identifier' && SLEEP_NAMES.has(called.name);
      if (named || /^new Promise\(.*\bsetTimeout\(/s.test(text)) {
        context.report({
          node,
          message: 'No sleeps: wait for the condition (vi.waitFor, an event).',
        });
      }
    },
  }),
};

/** Only the upstream is faked; our own rooms are used as they are. */
const noRoomMock: LintRule = {
  create: (context) => ({
    CallExpression(node) {
      const {
        callee,
        arguments: [first],
      } = node;
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
      if (callee.object.type !== 'Identifier' || callee.object.name !== 'vi') return;
      const target =
        first?.type === 'Literal' && typeof first.value === 'string' ? first.value : '';
      if (/^(mock|doMock)$/.test(callee.property.name) && /^[#.]/.test(target)) {
        context.report({ node, message: 'Do not mock our own rooms: fake the upstream.' });
      }
    },
  }),
};

export const codeRules = {
  'no-module-state': noModuleState,
  'no-float': noFloat,
  'no-provider-id': noProviderId,
  'no-provider-switch': noProviderSwitch,
  'no-raw-sql': noRawSql,
  'no-sleep': noSleep,
  'no-room-mock': noRoomMock,
};
