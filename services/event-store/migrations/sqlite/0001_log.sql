-- The log. Every key begins with log_id; rows carry integers, names are interned once.

CREATE TABLE store (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  log_count INTEGER NOT NULL
);

CREATE TABLE log_heads (
  log_id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  next_position INTEGER NOT NULL,
  next_space_id INTEGER NOT NULL,
  last_time_ms INTEGER NOT NULL
);

CREATE TABLE spaces (
  log_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (log_id, space_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX spaces_by_name ON spaces (log_id, name);

-- Rows are never changed. stream_id is the position of the stream's first event.
CREATE TABLE streams (
  log_id INTEGER NOT NULL,
  stream_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX streams_by_name ON streams (log_id, space_id, name);

CREATE TABLE stream_heads (
  log_id INTEGER NOT NULL,
  stream_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  head_revision INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  head_event_id INTEGER NOT NULL,
  tombstone INTEGER NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITHOUT ROWID;
-- The latest state of everything in a space that changed since a seq.
CREATE INDEX stream_heads_by_seq ON stream_heads (log_id, space_id, last_seq);

-- codec: 0 as it is, 1 zstd. bytes: data and meta as the writer sent them.
CREATE TABLE events (
  log_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  stream_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  tombstone INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  meta BLOB NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (log_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_seq ON events (log_id, space_id, seq);
CREATE UNIQUE INDEX events_by_revision ON events (log_id, stream_id, revision);

CREATE TABLE operation_keys (
  log_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  op_key BLOB NOT NULL,
  request_hash INTEGER NOT NULL,
  position INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (log_id, space_id, op_key)
) WITHOUT ROWID;
CREATE INDEX operation_keys_by_time ON operation_keys (time_ms);

CREATE TABLE snapshots (
  log_id INTEGER NOT NULL,
  stream_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITHOUT ROWID;
