/**
 * The inbox of a shard: jobs that share a key run one after the other in the order they came, others side by side up to a limit, and what is
 * beyond the bound is turned away at once. Each has one deadline, from the moment it came. Knows nothing of storages.
 */
import { type Clock, NautilusError, type Timer } from '../../core/index.ts';

export interface JobQueueInit {
  /** For messages: whose queue it is. */
  readonly owner: string;
  readonly clock: Clock;
  /** Jobs waiting and running. */
  readonly maxJobs: number;
  readonly maxRunning: number;
  readonly timeoutMs: number;
  /** Every job that was started is told of once: undefined when it succeeded. One past its deadline has failed, whatever becomes of it. */
  onSettled(error: { readonly reason: unknown } | undefined): void;
}

/** A job that was never started: whoever asked for it may ask somebody else instead. */
export class JobNotStarted extends Error {
  override readonly name = 'JobNotStarted';
}

interface Job {
  readonly keys: readonly string[];
  readonly run: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly dueAt: number;
  /** Jobs on one of its keys that go first. */
  blockers: number;
  // BOUNDED: by maxJobs.
  readonly followers: Job[];
  state: 'waiting' | 'running' | 'over';
}

export class JobQueue {
  readonly #init: JobQueueInit;
  // BOUNDED: maxJobs. In the order they came, which is that of their deadlines.
  readonly #jobs = new Set<Job>();
  // BOUNDED: by the jobs. Those that wait for nothing but a free place.
  readonly #ready = new Set<Job>();
  // BOUNDED: by the keys of the jobs. The last job on each.
  readonly #tails = new Map<string, Job>();
  #running = 0;
  #timer: Timer | undefined;
  // BOUNDED: by who closes.
  #idle: (() => void)[] = [];

  constructor(init: JobQueueInit) {
    this.#init = init;
  }

  /** Jobs waiting and running. */
  get depth(): number {
    return this.#jobs.size;
  }

  /**
   * @param keys empty: it depends on no other job
   * @throws NautilusError `RESOURCE_EXHAUSTED` at once when the queue is full, `STORAGE_FAILED` past the deadline; `JobNotStarted`; what `run` rejects with
   */
  add<T>(keys: readonly string[], run: () => Promise<T>): Promise<T> {
    const { owner, maxJobs, clock, timeoutMs } = this.#init;
    if (this.#jobs.size >= maxJobs) {
      return Promise.reject(
        new NautilusError('RESOURCE_EXHAUSTED', `${maxJobs} jobs already wait for ${owner}: try again later`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const job: Job = {
        keys,
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
        dueAt: clock.monotonic() + timeoutMs,
        blockers: 0,
        followers: [],
        state: 'waiting',
      };
      for (const key of keys) {
        const before = this.#tails.get(key);
        this.#tails.set(key, job);
        if (before === undefined || before === job) continue;
        before.followers.push(job);
        job.blockers++;
      }
      this.#jobs.add(job);
      if (job.blockers === 0) this.#ready.add(job);
      this.#arm();
      this.#startReady();
    });
  }

  /** Whatever has not begun is given back, `JobNotStarted`. */
  flush(): void {
    for (const job of [...this.#jobs]) {
      if (job.state === 'waiting') this.#finish(job, () => job.reject(notStarted(this.#init.owner)));
    }
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    if (this.#jobs.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #startReady(): void {
    for (const job of this.#ready) {
      if (this.#running >= this.#init.maxRunning) return;
      this.#ready.delete(job);
      this.#start(job);
    }
  }

  #start(job: Job): void {
    job.state = 'running';
    this.#running++;
    const begun = (async () => job.run())();
    begun.then(
      (value) => this.#settle(job, undefined, () => job.resolve(value)),
      (reason: unknown) => this.#settle(job, { reason }, () => job.reject(reason)),
    );
  }

  #settle(job: Job, error: { readonly reason: unknown } | undefined, tell: () => void): void {
    // It came too late, and was told so.
    if (job.state !== 'running') return;
    this.#running--;
    this.#finish(job, tell);
    this.#init.onSettled(error);
    this.#startReady();
  }

  #finish(job: Job, tell: () => void): void {
    job.state = 'over';
    this.#jobs.delete(job);
    this.#ready.delete(job);
    for (const key of job.keys) if (this.#tails.get(key) === job) this.#tails.delete(key);
    for (const follower of job.followers) {
      if (--follower.blockers === 0 && follower.state === 'waiting') this.#ready.add(follower);
    }
    tell();
    if (this.#jobs.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** One timer for all: their deadlines come in the order they did. It may fire with nothing due. */
  #arm(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#jobs;
    if (first === undefined) return;
    const { clock } = this.#init;
    this.#timer = clock.setTimer(Math.max(0, first.dueAt - clock.monotonic()), () => {
      this.#timer = undefined;
      this.#expire();
      this.#arm();
    });
  }

  #expire(): void {
    const { owner, clock, timeoutMs } = this.#init;
    const now = clock.monotonic();
    const due: Job[] = [];
    for (const job of this.#jobs) {
      if (job.dueAt > now) break;
      due.push(job);
    }
    // Those that wait go first, or they would be begun in the places of the others.
    for (const job of due.filter(({ state }) => state === 'waiting')) {
      const problem = `${owner} did not get to it for ${timeoutMs} ms: try again later`;
      this.#finish(job, () => job.reject(new NautilusError('RESOURCE_EXHAUSTED', problem)));
    }
    for (const job of due.filter(({ state }) => state === 'running')) {
      const reason = new NautilusError('STORAGE_FAILED', `${owner} has not answered for ${timeoutMs} ms: check it`);
      this.#settle(job, { reason }, () => job.reject(reason));
    }
  }
}

function notStarted(owner: string): JobNotStarted {
  return new JobNotStarted(`${owner} was given up before it was asked`);
}
