/**
 * One machine of a testnet that runs a scenario: what stays when its process ends (number, identity, data directory, address), and the process.
 * A caller that asked through a process that is then stopped or killed is told so at once. Not here: who else there is (process-target.ts).
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ControlClient, connectControl } from '../../src/client/index.ts';
import { assert, isNautilusError, NautilusError } from '../../src/core/index.ts';
import { IDENTITY_FILE, loadOrCreateIdentity } from '../../src/platform/index.ts';
import type { NodeState, PurposeTraffic } from '../scenarios/index.ts';
import type { NodeConditions } from './node-conditions.ts';
import type { LookupAim, NodeOrder } from './scenario-messages.ts';
import { ScenarioProcess } from './scenario-process.ts';
import { sumTraffic } from './sum-traffic.ts';

/** Nobody is left who could say what came of it. */
export type Gone = { readonly kind: 'gone' };
const GONE: Gone = { kind: 'gone' };

const ANY_PORT = '/ip4/127.0.0.1/tcp/0';

/** What a life begins with. */
export type LifeOrder = Pick<NodeOrder, 'network' | 'seed' | 'bootstrap' | 'conditions' | 'aims'>;

export class ScenarioMember {
  readonly number: number;
  readonly peerId: string;
  readonly dataDir: string;
  readonly #onFailure: (error: NautilusError) => void;
  #state: NodeState = 'down';
  /** Runs, is stopped, or (while the state is `down`) has vanished: stopped for good. */
  #process: ScenarioProcess | undefined;
  /** Ends when callers shall not wait any more. */
  #attendance = new Attendance();
  #client: ControlClient | undefined;
  /** With the peer id. */
  #address: string | undefined;
  #lives = 0;
  #skewMs = 0;
  /** Sent in former lives. */
  // BOUNDED: one entry per purpose.
  #formerTraffic: readonly PurposeTraffic[] = [];

  private constructor(number: number, dataDir: string, peerId: string, onFailure: (error: NautilusError) => void) {
    this.number = number;
    this.dataDir = dataDir;
    this.peerId = peerId;
    this.#onFailure = onFailure;
  }

  /** A machine that has never run. @param onFailure its process ended, and nobody had ended it */
  static async create(
    number: number,
    dataDir: string,
    onFailure: (error: NautilusError) => void,
  ): Promise<ScenarioMember> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const { peerIdText } = await loadOrCreateIdentity(dataDir);
    return new ScenarioMember(number, dataDir, peerIdText, onFailure);
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Where others find it; undefined before it ran for the first time. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Sent in all lives. */
  get traffic(): readonly PurposeTraffic[] {
    return sumTraffic([...this.#formerTraffic, ...(this.#process?.traffic ?? [])]);
  }

  /**
   * Starts a life; resolves when it has joined the network, or is over.
   * @throws NautilusError with the node's own complaint
   */
  async start(order: LifeOrder): Promise<void> {
    assert(this.#state === 'down', `node ${this.number} runs already`);
    this.#state = 'starting';
    await this.#end((vanished) => vanished.kill());
    const attendance = new Attendance();
    this.#attendance = attendance;
    const process = await this.#launch(order);
    this.#client = await connectControl({ dataDir: this.dataDir });
    await Promise.race([process.joined, attendance.ended]);
    if (this.#attendance === attendance && !attendance.hasEnded) this.#state = 'running';
  }

  /** SIGTERM: it hands over what it holds and says goodbye. */
  async leave(): Promise<void> {
    this.#dismiss();
    this.#state = 'starting'; // as good as: it runs, and nobody asks it anything
    await this.#end((leaving) => leaving.stop());
    this.#state = 'down';
  }

  /** SIGKILL. `isSilent`: stopped for good, so that no connection breaks. */
  async kill(isSilent: boolean): Promise<void> {
    this.#dismiss();
    this.#state = 'down';
    if (isSilent) this.#process?.signal('SIGSTOP');
    else await this.#end((killed) => killed.kill());
  }

  pause(): void {
    this.#dismiss();
    this.#process?.signal('SIGSTOP');
    this.#state = 'paused';
  }

  async resume(): Promise<void> {
    this.#process?.signal('SIGCONT');
    this.#attendance = new Attendance();
    this.#client = await connectControl({ dataDir: this.dataDir });
    this.#state = 'running';
  }

  /** An empty disk under the same identity, for the next life. */
  async wipe(): Promise<void> {
    assert(this.#state === 'down', 'only a node that is down gets another disk');
    await this.#end((vanished) => vanished.kill());
    // Without its identity it would be another node.
    const files = (await readdir(this.dataDir)).filter((name) => name !== IDENTITY_FILE);
    await Promise.all(files.map((name) => rm(join(this.dataDir, name), { recursive: true, force: true })));
  }

  setConditions(conditions: NodeConditions): void {
    this.#process?.tell({ type: 'conditions', conditions });
  }

  aim(aim: LookupAim): void {
    this.#process?.tell({ type: 'aim', aim });
  }

  /** The machine's wall clock is set, for this life and the next ones. */
  setClock(skewMs: number): void {
    this.#skewMs = skewMs;
    this.#process?.tell({ type: 'skew', skewMs });
  }

  /** Through its control socket, as any program would. @throws what the operation throws */
  async ask<T>(operation: (client: ControlClient) => Promise<T>): Promise<T | Gone> {
    const attendance = this.#attendance;
    const client = this.#client;
    if (client === undefined || attendance.hasEnded) return GONE;
    const answer = operation(client);
    // Nobody waits for it any more when the attendance has ended first.
    answer.catch(() => undefined);
    return Promise.race([answer, attendance.ended]);
  }

  /** Everything of it ends, now. */
  async close(): Promise<void> {
    this.#dismiss();
    await this.#end((closed) => closed.kill());
  }

  async #launch(order: LifeOrder): Promise<ScenarioProcess> {
    const [, formerPort] = /^(.*)\/p2p\//.exec(this.#address ?? '') ?? [];
    try {
      return await this.#launchAt(formerPort ?? ANY_PORT, order);
    } catch (error) {
      // Somebody else has it now: the node will be found where it says it is.
      if (formerPort === undefined || !isNautilusError(error, 'PORT_TAKEN')) throw error;
      return await this.#launchAt(ANY_PORT, order);
    }
  }

  async #launchAt(listen: string, order: LifeOrder): Promise<ScenarioProcess> {
    const { number, dataDir } = this;
    const life = this.#lives++;
    const logFile = `${dataDir}.log`;
    const launched = new ScenarioProcess(
      { ...order, type: 'start', number, dataDir, listen, life, skewMs: this.#skewMs },
      logFile,
    );
    this.#process = launched;
    [this.#address] = await launched.ready;
    void launched.ended.then((how) => {
      if (this.#process !== launched) return;
      this.#dismiss();
      this.#onFailure(
        new NautilusError(
          'INTERNAL',
          `node ${number} ended by itself (${how}): see ${logFile} and ${dataDir}/node.log`,
        ),
      );
    });
    return launched;
  }

  /** Callers need not wait any more. */
  #dismiss(): void {
    this.#attendance.end();
    this.#client?.close();
    this.#client = undefined;
  }

  async #end(how: (ending: ScenarioProcess) => Promise<void>): Promise<void> {
    const ending = this.#process;
    if (ending === undefined) return;
    this.#process = undefined;
    await how(ending);
    this.#formerTraffic = sumTraffic([...this.#formerTraffic, ...ending.traffic]);
  }
}

/** The time during which a node answers those who ask it. */
class Attendance {
  readonly ended: Promise<Gone>;
  hasEnded = false;
  #resolve: (gone: Gone) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  end(): void {
    this.hasEnded = true;
    this.#resolve(GONE);
  }
}
