#!/usr/bin/env node
/**
 * What the `omnix` of the npm package runs first: a Node that is too old reads one sentence and no
 * stack. In the language of Node 12, because that Node has to parse it.
 */
'use strict';

const NODE_MAJOR_MIN = 24;

if (parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  void import('./omnix.js');
} else {
  process.stderr.write(
    'OmniX needs Node ' +
      NODE_MAJOR_MIN +
      ' or newer, and this is Node ' +
      process.versions.node +
      ': get it from https://nodejs.org/en/download, then run the same command again.\n',
  );
  process.exitCode = 1;
}
