/** Facts as people read them. */

/** Text from the network cannot move the cursor, reorder the line or ring the bell: control and format characters are shown as escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
}

export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** `950 ms`, `4.2 s`, `3 min`, `5 h`, `12 d`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds < 7_200_000) return `${Math.round(milliseconds / 60_000)} min`;
  if (milliseconds < 172_800_000) return `${Math.round(milliseconds / 3_600_000)} h`;
  return `${Math.round(milliseconds / 86_400_000)} d`;
}

/** A moment as UTC and as the time until it. */
export function moment(at: number, now: number): string {
  const iso = new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  return `${iso} UTC (${at >= now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`})`;
}

export function bytes(amount: number): string {
  if (amount < 1_024) return `${amount} B`;
  if (amount < 1_048_576) return `${(amount / 1_024).toFixed(1)} KiB`;
  return `${(amount / 1_048_576).toFixed(1)} MiB`;
}

/** Enough of an id to tell peers apart; ids are printed in full where they are the answer. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 6)}…${id.slice(-8)}`;
}

/** As a shell takes it for one word. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
