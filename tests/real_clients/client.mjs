// Node against the built-in app at the URL that is given. Prints a word for each part that went well.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';

const url = process.argv[2];

// undici, which keeps connections alive.
const peers = new Set();
for (let n = 0; n < 50; n++) {
  const answer = await fetch(url + 'whoami');
  assert.equal(answer.status, 200);
  peers.add((await answer.json()).peer);
}
// It opens a second one before it knows that the first is free again.
assert.ok(peers.size <= 2, `${peers.size} connections for requests in a row`);
const many = await Promise.all(Array.from({ length: 50 }, () => fetch(url).then((a) => a.text())));
assert.deepEqual(new Set(many), new Set(['Top-level content']));
console.log('fetch');

// A stream, which is sent in chunks, and comes back.
const piece = new Uint8Array(10_000).fill(120);
let left = 100;
const body = new ReadableStream({
  pull(controller) {
    if (left-- > 0) controller.enqueue(piece);
    else controller.close();
  },
});
const echoed = await fetch(url + 'echo', { method: 'POST', body, duplex: 'half' });
assert.equal(echoed.status, 200);
const bytes = new Uint8Array(await echoed.arrayBuffer());
assert.equal(bytes.length, 1_000_000);
assert.ok(bytes.every((b) => b === 120));
console.log('upload');

const library = url.startsWith('https:') ? https : http;
const agent = new library.Agent({ keepAlive: true, maxSockets: 4 });
const get = () =>
  new Promise((resolve, reject) => {
    const request = library.get(url, { agent }, (answer) => {
      let text = '';
      const port = answer.socket.localPort;
      answer.setEncoding('utf8');
      answer.on('data', (some) => (text += some));
      answer.on('end', () => resolve([answer.statusCode, text, port]));
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
const ports = new Set();
for (const [status, text, port] of await Promise.all(Array.from({ length: 200 }, get))) {
  assert.equal(status, 200);
  assert.equal(text, 'Top-level content');
  ports.add(port);
}
assert.ok(ports.size <= 4, `${ports.size} connections`);
agent.destroy();
console.log('agent');
