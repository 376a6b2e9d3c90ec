/** A JSON log line as people read it: `12:30:05 warn  message key=value`. Peers' text may be in it, so control characters are escaped. */

/** @param line JSON with `time`, `level` and `msg`, as the logger writes it */
export function formatLogLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${formatValue(value)}`);
  return `${clock} ${String(level).padEnd(5)} ${escapeControls(String(msg ?? ''))}${rest.join('')}\n`;
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return escapeControls(text);
}

/** C0, DEL and C1 controls, and the marks that turn the direction of text: none of them may reach a terminal. */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
