-- Fewer pages for each append: 128 bits that stand for a name come in no order, so a row with them
-- as its key lands on a page of its own. Rows lie in the order in which they are made, and what
-- finds them by those bits is an index of little more than the bits. Both numbers are SQLite's:
-- the highest and one more.

CREATE TABLE new_streams (
  number INTEGER PRIMARY KEY,
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
  name TEXT NOT NULL
);
INSERT INTO new_streams(log_id, stream_id, space_id, first_position, first_seq, head_revision,
                        last_seq, last_position, head_event_id, kind, tombstone, name)
  SELECT log_id, stream_id, space_id, first_position, first_seq, head_revision,
         last_seq, last_position, head_event_id, kind, tombstone, name
  FROM streams ORDER BY log_id, first_position;

-- In order of time, so that the oldest are forgotten without an index for that.
CREATE TABLE new_operation_keys (
  number INTEGER PRIMARY KEY,
  log_id INTEGER NOT NULL,
  space_id INTEGER NOT NULL,
  op_key BLOB NOT NULL,
  request_hash INTEGER NOT NULL,
  position INTEGER NOT NULL,
  time_ms INTEGER NOT NULL
);
INSERT INTO new_operation_keys(log_id, space_id, op_key, request_hash, position, time_ms)
  SELECT log_id, space_id, op_key, request_hash, position, time_ms
  FROM operation_keys ORDER BY time_ms;

DROP TABLE operation_keys;
DROP TABLE streams;
ALTER TABLE new_operation_keys RENAME TO operation_keys;
ALTER TABLE new_streams RENAME TO streams;

CREATE UNIQUE INDEX streams_by_id ON streams (stream_id, log_id);
-- The latest state of everything in a space that changed since a seq, and the space's seq.
CREATE UNIQUE INDEX streams_by_seq ON streams (log_id, space_id, last_seq);
-- The key comes first: ids that begin with the time (UUID version 7) then come in order.
CREATE UNIQUE INDEX operation_keys_by_key ON operation_keys (op_key, space_id, log_id);
