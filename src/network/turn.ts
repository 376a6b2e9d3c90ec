/**
 * The end of a turn of the event loop, shared by all streams of a transport: everything the turn produced for one stream leaves in one write, and
 * streams that were stopped because they had their share go on, one after the other. One setImmediate per turn, none while nothing happens.
 */
export interface EndOfTurn {
  /** Called once per request for it. */
  onEndOfTurn(): void;
}

export class Turn {
  // BOUNDED: by the open streams, twice each.
  #waiting: EndOfTurn[] = [];
  #isArmed = false;

  /** Calls `onEndOfTurn` after what is ready now has run. */
  atEnd(part: EndOfTurn): void {
    this.#waiting.push(part);
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(this.#end);
  }

  readonly #end = (): void => {
    this.#isArmed = false;
    const parts = this.#waiting;
    this.#waiting = [];
    for (const part of parts) part.onEndOfTurn();
  };
}
