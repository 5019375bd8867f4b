// ShareDB with rich text in memory, for ./dev bench text: nothing is durable.
// Usage: node text_server.js PORT
const http = require('http');
const ShareDB = require('sharedb');
const richText = require('rich-text');
const WebSocket = require('ws');
const WebSocketJSONStream = require('@teamwork/websocket-json-stream');

ShareDB.types.register(richText.type);
const backend = new ShareDB();
const server = http.createServer((request, response) => response.end('ready'));
new WebSocket.Server({ server }).on('connection', (socket) => {
  const stream = new WebSocketJSONStream(socket);
  // The generator ends without a goodbye; an answer that was under way must not end the server.
  socket.on('error', () => {});
  stream.on('error', () => {});
  backend.listen(stream);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
