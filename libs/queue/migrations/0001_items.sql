CREATE TABLE items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- The order of the queue.
  lane TEXT NOT NULL,
  keys BLOB NOT NULL,         -- Stable hashes, 8 bytes each, big endian.
  payload BLOB NOT NULL,
  enqueued_ms INTEGER NOT NULL,
  parked_ms INTEGER,          -- NULL: waiting.
  reason TEXT NOT NULL DEFAULT ''
);
