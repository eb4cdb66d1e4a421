/**
 * Offers on whose price the data sets disagree while nothing settles it: no decision by hand, no
 * majority, no newer date. They are served at the price that was taken; `models check` names them.
 */

export interface Dispute {
  /** `<provider>/<host's id>`. */
  readonly offer: string;
  /** Each data set with its price for input and output, dollars per million tokens. */
  readonly said: string;
  /** The data set that was believed. */
  readonly taken: string;
}

/** Lines `<offer>|<said>|<taken>`. Throws on anything else: the table is data of ours. */
export function readDisputes(table: string): readonly Dispute[] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [offer = '', said, taken, ...rest] = line.split('|');
      if (said === undefined || taken === undefined || rest.length > 0) {
        throw new Error(`not a dispute: ${line}`);
      }
      return { offer, said, taken };
    });
}
