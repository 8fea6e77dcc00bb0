/** Figures for people, the same in every locale. */
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
