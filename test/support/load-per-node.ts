/** Who carried how much of what a world did: listens to every frame that is delivered. Costs a decoding per frame, so only for as long as wanted. */
import { decodeFrame } from '../../src/kademlia/index.ts';
import { percentile, type World } from '../../testnet/simulator/index.ts';

const OF_REPAIR: ReadonlySet<string> = new Set(['SYNC', 'FETCH', 'HAND_OFF']);

interface NodeLoad {
  /** Of others, of every kind. */
  requestsServed: number;
  /** Comparisons and records, sent and received. */
  repairBytes: number;
}

export class LoadPerNode {
  // BOUNDED: by the nodes of the world.
  readonly #loads: NodeLoad[];
  readonly #stop: () => void;

  constructor(world: World) {
    const { trace } = world.network;
    const add = trace.add.bind(trace);
    this.#loads = world.nodes.map(() => ({ requestsServed: 0, repairBytes: 0 }));
    trace.add = (timeMs, from, to, frame) => {
      add(timeMs, from, to, frame);
      this.#note(from, to, frame);
    };
    this.#stop = () => {
      trace.add = add;
    };
  }

  stop(): void {
    this.#stop();
  }

  /** Median and largest over these nodes. */
  spread(figure: keyof NodeLoad, nodes: readonly { readonly number: number }[]): { median: number; max: number } {
    const figures = nodes.map(({ number }) => this.#loads[number]![figure]);
    return { median: percentile(figures, 0.5), max: percentile(figures, 1) };
  }

  #note(from: number, to: number, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind === 'request') this.#loads[to]!.requestsServed++;
    const type = frame.kind === 'request' ? frame.request.type : frame.kind === 'response' ? frame.response.type : '';
    if (!OF_REPAIR.has(type)) return;
    this.#loads[from]!.repairBytes += bytes.length;
    this.#loads[to]!.repairBytes += bytes.length;
  }
}
