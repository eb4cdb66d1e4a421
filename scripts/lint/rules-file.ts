/**
 * Rules on a file as a whole: its name, its opening comment, its comments, what it imports by path.
 */
import { posix } from 'node:path';
import { type LintPlace, type LintRule, pathOf } from './rule.ts';

const VAGUE_WORDS = /(^|[-.])(utils?|helpers?|commons?|managers?|services?)([-.]|$)/;
const INDEX_PLACES = /^src\/(providers\/[^/]+|http\/.+)\/index\.ts$/;
const SUPPRESSION = /^\s*(oxlint|eslint)-disable/;
const TYPE_SUPPRESSION = /^\s*@ts-(ignore|expect-error|nocheck)/;
const REASON = /\s--\s+\S.{9,}/s;
const COLUMNS_MAX = 100;
const HAS_ADDRESS = /https?:\/\//;
const BANNER = /([-=*#~_])\1{5,}/;

/** Names say what a file holds; an index exists only where house.md allows it. */
const fileName: LintRule = {
  create: (context) => ({
    Program(node) {
      const path = pathOf(context);
      const name = posix.basename(path);
      if (VAGUE_WORDS.test(name)) {
        context.report({
          node,
          message: `"${name}" says nothing: name the file for its main export.`,
        });
      }
      if (name === 'index.ts' && path.startsWith('src/') && !INDEX_PLACES.test(path)) {
        context.report({ node, message: "index.ts is for a provider's folder and route groups." });
      }
    },
  }),
};

/** A sentence or two before the first line of code: what the file is and why it exists. */
const openingComment: LintRule = {
  create: (context) => ({
    Program(node) {
      const opening = context.sourceCode
        .getAllComments()
        .find((comment) => comment.type === 'Block' && comment.value.startsWith('*'));
      const firstCode = node.body[0];
      if (opening !== undefined && (firstCode === undefined || opening.end <= firstCode.start))
        return;
      context.report({
        node,
        message: 'Open the file with a doc comment: what it is and why it exists.',
      });
    },
  }),
};

/** A suppressed rule says why, after ` -- `; banners are refused. */
const honestComments: LintRule = {
  create: (context) => ({
    Program() {
      for (const comment of context.sourceCode.getAllComments()) {
        const suppresses = SUPPRESSION.test(comment.value) || TYPE_SUPPRESSION.test(comment.value);
        if (suppresses && !REASON.test(comment.value)) {
          context.report({
            node: comment,
            message: 'Say why the rule is wrong here: " -- reason".',
          });
        }
        if (BANNER.test(comment.value)) context.report({ node: comment, message: 'No banners.' });
      }
    },
  }),
};

/** The formatter keeps code within the columns; comments are for their writer to break. */
const commentWidth: LintRule = {
  create: (context) => ({
    Program() {
      for (const comment of context.sourceCode.getAllComments()) {
        const { start, end } = comment.loc;
        const lines = context.sourceCode.lines.slice(start.line - 1, end.line);
        const isTooWide = (line: string): boolean =>
          line.length > COLUMNS_MAX && !HAS_ADDRESS.test(line);
        if (!lines.some(isTooWide)) continue;
        context.report({ node: comment, message: `At most ${COLUMNS_MAX} columns.` });
      }
    },
  }),
};

/**
 * `#room/file.ts` across rooms, `./file.ts` beside; a folder of a room may use either for its own
 * room.
 */
const insideRoom: LintRule = {
  create(context) {
    const path = pathOf(context);
    const folder = posix.dirname(path);
    const room = /^src\/[^/]+\//.exec(path)?.[0] ?? '';
    const check = (source: (LintPlace & { readonly value?: unknown }) | null): void => {
      if (!path.startsWith('src/') || typeof source?.value !== 'string') return;
      const { value } = source;
      const target = value.startsWith('.') ? posix.join(folder, value) : room;
      if (!target.startsWith(room)) {
        context.report({ node: source, message: "This leaves the room: write '#room/file.ts'." });
      }
      if (`${folder}/` === room && value.startsWith(room.replace('src/', '#'))) {
        context.report({ node: source, message: "This stays in the room: write './file.ts'." });
      }
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source.type === 'Literal' ? node.source : null),
    };
  },
};

/** `export *` hides where a name comes from. */
const noExportAll: LintRule = {
  create: (context) => ({
    ExportAllDeclaration(node) {
      context.report({ node, message: 'Name what you export.' });
    },
  }),
};

export const fileRules = {
  'file-name': fileName,
  'opening-comment': openingComment,
  'honest-comments': honestComments,
  'comment-width': commentWidth,
  'inside-room': insideRoom,
  'no-export-all': noExportAll,
};
