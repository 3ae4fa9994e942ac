/** Servers on loopback that play the binary host. */
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';

/** Listen on a free loopback port until the test ends. Returns `host` as address:port. */
export async function listen(t: TestContext, server: Server): Promise<{ host: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Serve `files` (path to bytes) over HTTP; anything else is 404. `asked` collects the paths. */
export async function serve(
  t: TestContext,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const bytes = files.get(path);
    response.writeHead(bytes === undefined ? 404 : 200, { connection: 'close' });
    response.end(bytes);
  });
  return { ...(await listen(t, server)), asked };
}
