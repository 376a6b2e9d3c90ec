import type { SimulationReport } from './simulate.ts';

/** A row a minute of virtual time: who is alive, how gets fared, copies, and bytes sent in that minute by purpose. */
export function reportCsv(reports: readonly SimulationReport[]): string {
  const purposes = [...new Set(reports.flatMap(({ traffic }) => traffic.map(({ purpose }) => purpose)))];
  const head = ['nodes', 'minute', 'alive', 'gets', 'right', 'copies_min', 'copies_p50', 'copies_max'];
  const rows = reports.flatMap(({ nodes, figures }) =>
    figures.samples.map(({ atMs, alive, gets, right, copies, bytesByPurpose }) => [
      nodes,
      (atMs / 60_000).toFixed(2),
      alive,
      gets,
      right,
      copies?.min ?? '',
      copies?.p50 ?? '',
      copies?.max ?? '',
      ...purposes.map((purpose) => bytesByPurpose.get(purpose) ?? 0),
    ]),
  );
  const titles = [...head, ...purposes.map((purpose) => `bytes_${purpose.toLowerCase().replaceAll(' ', '_')}`)];
  return `${[titles, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
