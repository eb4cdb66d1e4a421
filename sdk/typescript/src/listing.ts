/** A list: awaited it is one page, looped over it is every item of every page. */

interface PageOf<Item> {
  readonly data: readonly Item[];
}

export type Listing<Item, Page extends PageOf<Item>> = Promise<Page> & AsyncIterable<Item>;

/** `next` asks for the page after one, or is null where that was the last. */
export function toListing<Item, Page extends PageOf<Item>>(
  first: Promise<Page>,
  next: (page: Page, passed: number) => Promise<Page> | null,
): Listing<Item, Page> {
  async function* items(): AsyncGenerator<Item, void, undefined> {
    let passed = 0;
    let asked: Promise<Page> | null = first;
    while (asked !== null) {
      const page: Page = await asked;
      yield* page.data;
      passed += page.data.length;
      asked = page.data.length === 0 ? null : next(page, passed);
    }
  }
  return Object.assign(first, { [Symbol.asyncIterator]: items });
}
