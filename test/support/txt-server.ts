/** A DNS server on loopback that answers TXT questions from a table and everything else with NXDOMAIN (RFC 1035 §4). */
import { createSocket } from 'node:dgram';

export interface TxtServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  stop(): Promise<void>;
}

const HEADER_BYTES = 12;
const RESPONSE = 0x8180;
const NAME_ERROR = 3;
const TXT = 16;
const MAX_STRING_BYTES = 255;

/** @param answers strings, or none for a server that hears and never answers */
export async function startTxtServer(
  answers: Readonly<Record<string, readonly string[]>> | undefined,
): Promise<TxtServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (answers !== undefined) socket.send(answerTo(query, answers), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answerTo(query: Buffer, answers: Readonly<Record<string, readonly string[]>>): Buffer {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(HEADER_BYTES, at + 5);
  const found = query.readUInt16BE(at + 1) === TXT ? answers[labels.join('.')] : undefined;

  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2); // the question's id
  header.writeUInt16BE(found === undefined ? RESPONSE | NAME_ERROR : RESPONSE, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found?.length ?? 0, 6);
  return Buffer.concat([header, question, ...(found ?? []).map(txtRecord)]);
}

function txtRecord(text: string): Buffer {
  const data = Buffer.concat(
    Array.from({ length: Math.ceil(text.length / MAX_STRING_BYTES) }, (_, i) => {
      const part = Buffer.from(text.slice(i * MAX_STRING_BYTES, (i + 1) * MAX_STRING_BYTES));
      return Buffer.concat([Buffer.of(part.length), part]);
    }),
  );
  const head = Buffer.from([0xc0, HEADER_BYTES, 0, TXT, 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
