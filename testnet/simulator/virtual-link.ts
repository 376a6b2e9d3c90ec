/** A connection of the virtual network and the machines at its ends. */
import { MachineQueues } from './machine-limits.ts';

/** What a machine does about its connections; the transport implements it. */
export interface ConnectionHandler {
  /** A frame arrived. The first one on a connection the other side dialled is its HELLO. */
  onFrame(link: Link, frame: Uint8Array): void;
  /** The other side closed it, is gone, or never took it. */
  onLinkClosed(link: Link, cause: CloseCause): void;
}

/** `lost`: an open connection broke, and nobody had closed it. Closed and refused ones are `closed`. */
export type CloseCause = 'closed' | 'lost';

/** Times are whole milliseconds on the world's clock, rounded up: a small integer is no object of its own. */
export class Link {
  readonly dialler: Endpoint;
  /** Undefined until the dial arrived. */
  acceptor: Endpoint | undefined;
  /** One of its ends closed it on purpose: whatever comes of it later, it was not lost. */
  isClosed = false;
  /** When the acceptor's first frame, its HELLO, arrives; undefined before it was sent. */
  answeredAt: number | undefined;
  /** When the last frame of each direction arrives: the end of the connection is not heard before it. */
  diallerArrivesBy = 0;
  acceptorArrivesBy = 0;
  #diallerSession: unknown;
  #acceptorSession: unknown;

  constructor(dialler: Endpoint) {
    this.dialler = dialler;
  }

  /** What the transport at this end knows it by, its own business: a frame finds its session without a search. */
  sessionOf(end: Endpoint): unknown {
    return end === this.dialler ? this.#diallerSession : this.#acceptorSession;
  }

  setSession(end: Endpoint, session: unknown): void {
    if (end === this.dialler) this.#diallerSession = session;
    else this.#acceptorSession = session;
  }
}

/** What a stopped process's machine keeps for it before it drops: some hundred kB, as socket buffers do. */
const MAX_BACKLOG = 1024;

/** One life of a machine at an address. A node that restarts has another one, so nothing of its former connections reaches it. */
export class Endpoint {
  readonly number: number;
  readonly address: string;
  /** `down`: its system still answers for it, with refusals. `gone`: nothing does. */
  state: 'up' | 'paused' | 'down' | 'gone' = 'up';
  // BOUNDED: by the connections its transport allows itself, and dials under way.
  readonly links = new Set<Link>();
  // BOUNDED: MAX_BACKLOG.
  readonly backlog: (() => void)[] = [];
  #handler: ConnectionHandler | undefined;
  #queues: MachineQueues | undefined;

  constructor(number: number, address: string, handler: ConnectionHandler) {
    this.number = number;
    this.address = address;
    this.#handler = handler;
  }

  /** Undefined once it has ended. */
  get handler(): ConnectionHandler | undefined {
    return this.#handler;
  }

  /** Lets go of the process: whoever still has a connection to it, or finds its address, would keep alive all that it was. */
  end(state: 'down' | 'gone'): void {
    this.state = state;
    this.backlog.length = 0;
    this.#handler = undefined;
    for (const link of this.links) link.setSession(this, undefined);
  }

  /** Made when machines have limits for the first time: most worlds do without. */
  get queues(): MachineQueues {
    this.#queues ??= new MachineQueues();
    return this.#queues;
  }

  /** For when the process goes on. */
  keep(work: () => void): void {
    if (this.backlog.length < MAX_BACKLOG) this.backlog.push(work);
  }
}
