-- What was decided when two changes met, one row for each operation that met another change.
CREATE TABLE resolutions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  space TEXT NOT NULL,
  op_id TEXT NOT NULL,
  entity_type TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  branch TEXT NOT NULL,
  base_version_id TEXT NOT NULL,
  theirs_version_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  -- A conflict.v1.Resolution that holds the decisions only.
  decisions BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX resolutions_of_operation ON resolutions (space, op_id);
CREATE INDEX resolutions_of_space ON resolutions (space, number);
CREATE INDEX resolutions_of_entity ON resolutions (space, entity_type, entity_id, number);
CREATE INDEX resolutions_of_type ON resolutions (space, entity_type, number);
