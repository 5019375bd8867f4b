-- The log. Every key begins with log_id, so all tables can be co-located by it; rows carry integers,
-- names are interned once. No foreign keys: the committer writes whole batches.

CREATE TABLE store (
  only_row int PRIMARY KEY CHECK (only_row = 1),
  log_count int NOT NULL
);

-- The compare-and-set of every commit; updated in place, so keep room on its few pages.
CREATE TABLE log_heads (
  log_id int PRIMARY KEY,
  epoch bigint NOT NULL,
  next_position bigint NOT NULL,
  next_space_id bigint NOT NULL,
  last_time_ms bigint NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE spaces (
  log_id int NOT NULL,
  space_id bigint NOT NULL,
  seq bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (log_id, space_id)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX spaces_by_name ON spaces (log_id, name);

-- Rows are never changed. stream_id is the position of the stream's first event.
CREATE TABLE streams (
  log_id int NOT NULL,
  stream_id bigint NOT NULL,
  space_id bigint NOT NULL,
  first_seq bigint NOT NULL,
  kind smallint NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (log_id, stream_id)
);
CREATE UNIQUE INDEX streams_by_name ON streams (log_id, space_id, name);

CREATE TABLE stream_heads (
  log_id int NOT NULL,
  stream_id bigint NOT NULL,
  space_id bigint NOT NULL,
  head_revision bigint NOT NULL,
  last_seq bigint NOT NULL,
  last_position bigint NOT NULL,
  head_event_id bigint NOT NULL,
  tombstone boolean NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITH (fillfactor = 80);
-- The latest state of everything in a space that changed since a seq.
CREATE INDEX stream_heads_by_seq ON stream_heads (log_id, space_id, last_seq);

-- Partitions events_p0, events_p1 … are made by the storage ahead of need.
-- codec: 0 as it is, 1 zstd. bytes: data and meta as the writer sent them.
CREATE TABLE events (
  log_id int NOT NULL,
  position bigint NOT NULL,
  space_id bigint NOT NULL,
  seq bigint NOT NULL,
  stream_id bigint NOT NULL,
  revision bigint NOT NULL,
  event_id bigint NOT NULL,
  time_ms bigint NOT NULL,
  tombstone boolean NOT NULL,
  codec smallint NOT NULL,
  bytes int NOT NULL,
  meta bytea NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (log_id, position)
) PARTITION BY RANGE (position);
-- Large data is compressed already.
ALTER TABLE events ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX events_by_seq ON events (log_id, space_id, seq);
CREATE INDEX events_by_revision ON events (log_id, stream_id, revision);

CREATE TABLE operation_keys (
  log_id int NOT NULL,
  space_id bigint NOT NULL,
  op_key uuid NOT NULL,
  request_hash bigint NOT NULL,
  position bigint NOT NULL,
  time_ms bigint NOT NULL,
  PRIMARY KEY (log_id, space_id, op_key)
);
-- Rows come in order of time, so a range index of a few pages is enough for the sweep.
CREATE INDEX operation_keys_by_time ON operation_keys USING brin (time_ms) WITH (pages_per_range = 16);

CREATE TABLE snapshots (
  log_id int NOT NULL,
  stream_id bigint NOT NULL,
  revision bigint NOT NULL,
  codec smallint NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (log_id, stream_id)
);
