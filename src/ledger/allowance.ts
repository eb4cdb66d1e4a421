/**
 * What this process may spend without asking anybody: its lease on one credit account or on one
 * key's budget, divided into what is free, what running requests hold, and what was spent but is
 * not posted yet. The three together never exceed the lease that the database knows.
 */

export class Allowance {
  /** The id of the credit account or of the budget. */
  readonly resourceId: string;
  free = 0n;
  held = 0n;
  unposted = 0n;
  /** As the database said when it last changed the lease. */
  epoch = 0n;
  /** What the last stock of a rich account came to; zero when the account is poor. */
  stocked = 0n;
  /** Whether it was used since the last look for idle ones. */
  used = true;
  idleSinceMs = 0;
  /**
   * A statement about the lease was not answered, or found it changed: the database may have more
   * in it than is known here, until a return says otherwise.
   */
  unsure = false;
  /** The last return left in the lease what was unposted then. */
  #leftUnposted = false;
  /** It was posted since: if before the return, so much too much is in it. */
  #leftTooMuch = false;

  constructor(resourceId: string) {
    this.resourceId = resourceId;
  }

  /** What the process believes to have in lease. */
  get total(): bigint {
    return this.free + this.held + this.unposted;
  }

  /** Whether there may be something in the lease that nobody needs. */
  get isReturnable(): boolean {
    return this.free > 0n || this.unsure || this.#leftTooMuch;
  }

  /** Takes credit for a running request; the caller has looked that it is free. */
  hold(amount: bigint): void {
    this.free -= amount;
    this.held += amount;
    this.used = true;
  }

  /** The request ended without spending anything. */
  release(amount: bigint): void {
    this.held -= amount;
    this.free += amount;
  }

  /**
   * The request ended and cost so much: what the hold has left is free at once, and what it lacks
   * is taken from what is free. Returns the part of the cost that is set aside here for the
   * posting; the rest is for the account to pay.
   */
  spend(amount: bigint, cost: bigint): bigint {
    this.release(amount);
    // Now the hold is among what is free, so that one comparison serves both cases.
    const claim = cost < this.free ? cost : this.free;
    this.free -= claim;
    this.unposted += claim;
    return claim;
  }

  /** What was set aside is posted, or will never be. */
  settle(claim: bigint): void {
    this.unposted -= claim;
    this.#leftTooMuch ||= this.#leftUnposted;
  }

  /** What is free is given back: from here on it is not ours, whether or not that is answered. */
  giveBack(): void {
    this.free = 0n;
    this.unsure = true;
    this.#leftUnposted = this.unposted > 0n;
    this.#leftTooMuch = false;
  }
}
