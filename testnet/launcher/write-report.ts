/** A testnet as people see it (a table) and as programs do (one JSON object). */
import type { TestnetIo, TestnetNodeReport } from './testnet-options.ts';

const TITLES = ['node', 'peer id', 'address', 'data directory', 'peers'] as const;

export function writeReport(nodes: readonly TestnetNodeReport[], { stdout, json }: TestnetIo): void {
  if (json) {
    stdout.write(`${JSON.stringify({ nodes })}\n`);
    return;
  }
  const rows = [TITLES, ...nodes.map(toRow)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

function toRow({ n, mode, peerId, addresses, dataDir, state, peers }: TestnetNodeReport): readonly string[] {
  const [first = '—'] = addresses;
  const address = first.replace(/\/p2p\/[^/]+$/, '');
  return [
    mode === 'bootstrap' ? `${n} (bootstrap)` : String(n),
    peerId === '' ? '—' : peerId,
    address,
    dataDir,
    state === 'running' ? String(peers) : state,
  ];
}
