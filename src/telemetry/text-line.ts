/** Fields that stand at the start of the line and are not repeated. */
const LEADING: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

/** Renders a JSON log line as text for people: `12:00:00.000 INFO  request operation=GetObject status=200`. */
export function textLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const clock = String(fields.time).slice(11, 23);
  const level = String(fields.level).toUpperCase().padEnd(5);
  const rest = Object.entries(fields)
    .filter(([name]) => !LEADING.has(name))
    .map(([name, value]) => ` ${name}=${showValue(value)}`);
  return `${clock} ${level} ${String(fields.msg)}${rest.join('')}\n`;
}

/** Renders a value, in quotes if it has a blank or a control character. */
function showValue(value: unknown): string {
  const text = String(value);
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
