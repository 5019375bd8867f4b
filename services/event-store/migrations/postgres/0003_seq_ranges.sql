-- A stream's latest seq moves with each of its events, and an index over it made each a new entry in
-- every index of its row. An index over ranges of 1,024 seqs leaves the row where it is until its
-- range is left (a heap-only tuple). A seq is the latest of one stream at most, so a range has at
-- most 1,024 streams to put in order.

ALTER TABLE streams
  ADD COLUMN seq_range bigint NOT NULL GENERATED ALWAYS AS (last_seq >> 10) STORED;
DROP INDEX streams_by_seq;
CREATE INDEX streams_by_seq ON streams (log_id, space_id, seq_range);
