/** A count or a number of something as an option's argument. */
import { InvalidArgumentError } from 'commander';

export function wholeNumber(text: string, min: number, max: number): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
}
