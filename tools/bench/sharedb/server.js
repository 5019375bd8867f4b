// ShareDB on PostgreSQL as its README sets it up, for ./dev bench.
// Usage: node server.js PORT DATABASE_URL
const http = require('http');
const fs = require('fs');
const path = require('path');
const { Pool } = require('pg');
const ShareDB = require('sharedb');
const PostgresDB = require('sharedb-postgres');
const WebSocket = require('ws');
const WebSocketJSONStream = require('@teamwork/websocket-json-stream');

const [port, connectionString] = process.argv.slice(2);

async function main() {
  const schema = path.join(path.dirname(require.resolve('sharedb-postgres')), 'structure.sql');
  const pool = new Pool({ connectionString });
  await pool.query(fs.readFileSync(schema, 'utf8'));
  await pool.end();
  const backend = new ShareDB({ db: new PostgresDB({ connectionString }) });
  const server = http.createServer((request, response) => response.end('ready'));
  new WebSocket.Server({ server }).on('connection', (socket) => {
    const stream = new WebSocketJSONStream(socket);
    // The generator ends without a goodbye; an answer that was under way must not end the server.
    socket.on('error', () => {});
    stream.on('error', () => {});
    backend.listen(stream);
  });
  server.listen(Number(port), '127.0.0.1');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
