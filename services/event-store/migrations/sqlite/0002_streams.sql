-- Fewer rows and indexes for each append, as in PostgreSQL's 0002. A stream is found by 128 bits
-- that stand for its name (stream_id.h); the connection that migrates defines stream_id_of. Events
-- are kept in order of one number, their place: large rows want a table with an integer key.

CREATE TABLE new_streams (
  log_id INTEGER NOT NULL,
  stream_id BLOB NOT NULL,
  space_id INTEGER NOT NULL,
  first_position INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  head_revision INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  head_event_id INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  tombstone INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITHOUT ROWID;
INSERT INTO new_streams
  SELECT n.log_id, stream_id_of(sp.name, n.name), n.space_id, n.stream_id, n.first_seq,
         h.head_revision, h.last_seq, h.last_position, h.head_event_id, n.kind, h.tombstone, n.name
  FROM streams n JOIN stream_heads h ON h.log_id = n.log_id AND h.stream_id = n.stream_id
  JOIN spaces sp ON sp.log_id = n.log_id AND sp.space_id = n.space_id;

-- place: log_id * 2^40 + position. codec: 0 as it is, 1 zstd. bytes: data and meta as the writer
-- sent them.
CREATE TABLE new_events (
  place INTEGER PRIMARY KEY,
  log_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  stream_id BLOB NOT NULL,
  revision INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  tombstone INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  meta BLOB NOT NULL,
  data BLOB NOT NULL
);
INSERT INTO new_events
  SELECT (e.log_id << 40) + e.position, e.log_id, e.space_id, e.seq, stream_id_of(sp.name, n.name),
         e.revision, e.event_id, e.time_ms, e.tombstone, e.codec, e.bytes, e.meta, e.data
  FROM events e JOIN streams n ON n.log_id = e.log_id AND n.stream_id = e.stream_id
  JOIN spaces sp ON sp.log_id = e.log_id AND sp.space_id = e.space_id;

CREATE TABLE new_snapshots (
  log_id INTEGER NOT NULL,
  stream_id BLOB NOT NULL,
  revision INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITHOUT ROWID;
INSERT INTO new_snapshots
  SELECT s.log_id, stream_id_of(sp.name, n.name), s.revision, s.codec, s.data
  FROM snapshots s JOIN streams n ON n.log_id = s.log_id AND n.stream_id = s.stream_id
  JOIN spaces sp ON sp.log_id = n.log_id AND sp.space_id = n.space_id;

DROP TABLE snapshots;
DROP TABLE events;
DROP TABLE stream_heads;
DROP TABLE streams;
ALTER TABLE new_snapshots RENAME TO snapshots;
ALTER TABLE new_events RENAME TO events;
ALTER TABLE new_streams RENAME TO streams;
ALTER TABLE spaces DROP COLUMN seq;

-- The latest state of everything in a space that changed since a seq, and the space's seq.
CREATE UNIQUE INDEX streams_by_seq ON streams (log_id, space_id, last_seq);
CREATE UNIQUE INDEX events_by_seq ON events (log_id, space_id, seq);
-- A stream's first event is found by its place.
CREATE UNIQUE INDEX events_by_revision ON events (log_id, stream_id, revision) WHERE revision > 1;
