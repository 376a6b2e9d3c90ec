/** How full something bounded is: for metrics, and for tests that hold the one number against the other. */
export interface Load {
  readonly size: number;
  readonly limit: number;
}
