/**
 * A process of its own that asks a TLS server over the transport, since NODE_EXTRA_CA_CERTS is read
 * when a process starts. Argument: the URL. Asks four times, one after the other, and prints what
 * came of each: a status, or the kind of the failure.
 */
import { NodeTransport } from '#base/transport.node.ts';

const url = process.argv[2] ?? '';
const transport = new NodeTransport({ connectTimeoutMs: 10_000, connectionsMax: 8 });

function ask(): Promise<string> {
  return new Promise((resolve) => {
    let status = 0;
    transport.send(
      { method: 'POST', url, headers: [], body: new TextEncoder().encode('hello') },
      {
        onHead: (said) => {
          status = said;
        },
        onData: () => undefined,
        onEnd: () => resolve(String(status)),
        onFail: ({ kind }) => resolve(kind),
      },
    );
  });
}

process.stdout.write([await ask(), await ask(), await ask(), await ask()].join(' '));
await transport.close();
