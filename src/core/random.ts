/** The randomness port: the system's generator in production, a seeded one in the simulator. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` uniform bytes, freshly allocated. */
  bytes(length: number): Uint8Array;
}
