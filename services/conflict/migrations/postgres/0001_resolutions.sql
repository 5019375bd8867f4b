-- What was decided when two changes met, one row for each operation that met another change.
CREATE TABLE resolutions (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  space text COLLATE "C" NOT NULL,
  op_id text COLLATE "C" NOT NULL,
  entity_type text COLLATE "C" NOT NULL,
  entity_id text COLLATE "C" NOT NULL,
  branch text COLLATE "C" NOT NULL,
  base_version_id text NOT NULL,
  theirs_version_id text NOT NULL,
  user_id text NOT NULL,
  device_id text NOT NULL,
  time_ms bigint NOT NULL,
  -- A conflict.v1.Resolution that holds the decisions only.
  decisions bytea NOT NULL
);
CREATE UNIQUE INDEX resolutions_of_operation ON resolutions (space, op_id);
CREATE INDEX resolutions_of_space ON resolutions (space, number);
CREATE INDEX resolutions_of_entity ON resolutions (space, entity_type, entity_id, number);
CREATE INDEX resolutions_of_type ON resolutions (space, entity_type, number);
