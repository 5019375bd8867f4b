-- Fewer rows and indexes for each append. A stream is found by 128 bits that stand for its name
-- (stream_id.h), so its name, its head and its place are one row with two indexes. A space's seq is
-- that of its latest stream. A stream's first event is found by its place.

CREATE FUNCTION stream_id_of(log int, old_id bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT encode(substring(sha256(convert_to(sp.name, 'UTF8') || '\x00' || convert_to(st.name, 'UTF8'))
                          FOR 16), 'hex')::uuid
  FROM streams st JOIN spaces sp USING (log_id, space_id)
  WHERE st.log_id = log AND st.stream_id = old_id
$$;

DROP INDEX events_by_revision;
ALTER TABLE events ALTER COLUMN stream_id TYPE uuid USING stream_id_of(log_id, stream_id);
CREATE INDEX events_by_revision ON events (log_id, stream_id, revision) WHERE revision > 1;
ALTER TABLE snapshots ALTER COLUMN stream_id TYPE uuid USING stream_id_of(log_id, stream_id);

ALTER TABLE streams RENAME TO stream_names;
ALTER INDEX streams_pkey RENAME TO stream_names_pkey;
-- Its head moves with every event of the stream, so keep room for that.
CREATE TABLE streams (
  log_id int NOT NULL,
  stream_id uuid NOT NULL,
  space_id bigint NOT NULL,
  first_position bigint NOT NULL,
  first_seq bigint NOT NULL,
  head_revision bigint NOT NULL,
  last_seq bigint NOT NULL,
  last_position bigint NOT NULL,
  head_event_id bigint NOT NULL,
  kind smallint NOT NULL,
  tombstone boolean NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (log_id, stream_id)
) WITH (fillfactor = 80);
ALTER TABLE stream_names RENAME COLUMN stream_id TO old_id;
ALTER TABLE stream_heads RENAME COLUMN stream_id TO old_id;
INSERT INTO streams
  SELECT n.log_id, encode(substring(sha256(convert_to(sp.name, 'UTF8') || '\x00' ||
                                         convert_to(n.name, 'UTF8')) FOR 16), 'hex')::uuid,
         n.space_id, n.old_id, n.first_seq, h.head_revision, h.last_seq, h.last_position,
         h.head_event_id, n.kind, h.tombstone, n.name
  FROM stream_names n JOIN stream_heads h ON h.log_id = n.log_id AND h.old_id = n.old_id
  JOIN spaces sp ON sp.log_id = n.log_id AND sp.space_id = n.space_id;
-- The latest state of everything in a space that changed since a seq, and the space's seq.
CREATE INDEX streams_by_seq ON streams (log_id, space_id, last_seq);

DROP FUNCTION stream_id_of;
DROP TABLE stream_names, stream_heads;
ALTER TABLE spaces DROP COLUMN seq;
ALTER TABLE spaces RESET (fillfactor);
