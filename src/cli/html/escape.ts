/** Text of others, made fit to stand in a page's markup, as text or as a quoted attribute. */
import { printable } from '../../observe/printable.ts';

/** What cannot be seen, or turns text around, is shown as an escape, as on a terminal. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => NAMES[character] ?? character);
}

const NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
