/** Assertions for bugs. They stay on in production: a node with a broken invariant must not go on storing other people's records. */

/** Thrown when the program contradicts itself. Never caught to continue, never used for bad input. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The `default` of an exhaustive switch: a new variant that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
