/** Names that lead a line and are not repeated behind it. */
const LEADING: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

/** A JSON log line as text for people: `12:00:00.000 INFO  request operation=GetObject status=200`. */
export function textLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const clock = String(fields.time).slice(11, 23);
  const level = String(fields.level).toUpperCase().padEnd(5);
  const rest = Object.entries(fields)
    .filter(([name]) => !LEADING.has(name))
    .map(([name, value]) => ` ${name}=${showValue(value)}`);
  return `${clock} ${level} ${String(fields.msg)}${rest.join('')}\n`;
}

/** Quoted where a blank or a control character would blur the line. */
function showValue(value: unknown): string {
  const text = String(value);
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
