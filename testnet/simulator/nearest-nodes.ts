/** Which nodes of a world are nearest to an id, running or not: that never changes, so it is found once per id and remembered. */
import { compareDistance, NodeId } from '../../src/kademlia/index.ts';
import { toHex } from '../../src/records/index.ts';
import type { SimulatedNode } from './simulated-node.ts';

export class NearestNodes {
  readonly #count: number;
  /** In the order of their ids: nodes that share a prefix stand side by side. */
  readonly #sorted: readonly SimulatedNode[];
  // BOUNDED: by the ids asked for, the records of a scenario.
  readonly #known = new Map<string, readonly SimulatedNode[]>();

  /** @param count how many are wanted at most: enough that those which run are among them */
  constructor(nodes: readonly SimulatedNode[], count: number) {
    this.#count = count;
    this.#sorted = [...nodes].sort((a, b) => (a.self.id.hex < b.self.id.hex ? -1 : 1));
  }

  /** Nearest first. @param id 32 bytes */
  of(id: Uint8Array): readonly SimulatedNode[] {
    const hex = toHex(id);
    let nodes = this.#known.get(hex);
    if (nodes === undefined) {
      const target = NodeId.fromBytes(id);
      nodes = this.#sharing(hex)
        .sort((a, b) => compareDistance(target, a.self.id, b.self.id))
        .slice(0, this.#count);
      this.#known.set(hex, nodes);
    }
    return nodes;
  }

  /** Those that share the longest prefix, in hex digits, which enough share: nobody else is nearer than any of them. */
  #sharing(hex: string): SimulatedNode[] {
    for (let digits = hex.length; ; digits--) {
      const prefix = hex.slice(0, digits);
      const from = this.#firstFrom(prefix);
      const to = this.#firstFrom(`${prefix}g`); // behind every digit
      if (to - from >= this.#count || digits === 0) return this.#sorted.slice(from, to);
    }
  }

  #firstFrom(hex: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]!.self.id.hex < hex) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
