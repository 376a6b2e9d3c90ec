/** The serving process of rpc.ts: one end of every kind of connection it compares, and its own CPU time on request. Not a program for people. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { createPlainHost, createRpcNode, onFrames, PER_STREAM_PROTOCOL, toAnswer } from './rpc-node.ts';

const transport = await createRpcNode(randomBytes(32));
const plain = await createPlainHost(['/ip4/127.0.0.1/tcp/0']);
await plain.handle(
  PER_STREAM_PROTOCOL,
  (stream) => {
    onFrames(
      (listener) => stream.addEventListener('message', ({ data }) => listener(data.subarray())),
      (frame) => {
        stream.send(toAnswer(frame));
        stream.close().catch((error: Error) => stream.abort(error));
      },
    );
  },
  { maxInboundStreams: 1_000 },
);

const server = createServer({ noDelay: true }, (socket) => {
  onFrames(
    (listener) => socket.on('data', listener),
    (frame) => socket.write(toAnswer(frame)),
  );
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.send?.({ address: transport.self.addresses[0], plainAddress: String(plain.getMultiaddrs()[0]), port });
});

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
