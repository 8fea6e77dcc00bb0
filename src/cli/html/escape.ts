/** Makes text of others fit for a page's markup, as text or as a quoted attribute. */
import { printable } from '../../observe/printable.ts';

/** Characters that are invisible, or change the direction of text, are shown as escapes, as on a terminal. */
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
