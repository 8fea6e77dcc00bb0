/** Figures and tables for people, at a terminal and in a page: the same in every locale. */
import { printable } from '../observe/printable.ts';

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** Megabytes of a million bytes. */
export function formatMegabytes(bytes: number): string {
  return `${formatCount(Math.round(bytes / 1e6))} MB`;
}

export function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Three significant digits. */
export function significant(value: number): string {
  if (value >= 100) return formatCount(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** Columns as wide as their widest cell, whose text is made printable. Those listed are right-aligned. */
export function formatTable(
  head: readonly string[],
  cells: readonly (readonly string[])[],
  rightAligned: readonly number[],
): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return rightAligned.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
