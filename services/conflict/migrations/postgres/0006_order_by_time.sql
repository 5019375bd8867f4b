-- Records are listed in order of time, those of one time in order of number: an index by time then
-- also serves the list of a space, and nothing is found by number alone. Five index entries for each
-- record instead of seven.
DROP INDEX resolutions_of_space, resolutions_of_entity, resolutions_of_type,
  resolutions_by_space_time, resolutions_by_time;
ALTER TABLE resolutions
  DROP CONSTRAINT resolutions_pkey,
  ADD CONSTRAINT resolutions_of_operation PRIMARY KEY USING INDEX resolutions_of_operation;
CREATE INDEX resolutions_by_time ON resolutions (time_ms, number);
CREATE INDEX resolutions_by_space_time ON resolutions (space, time_ms, number);
CREATE INDEX resolutions_of_entity
  ON resolutions (space, entity_type, entity_id, time_ms, number);
CREATE INDEX resolutions_of_type ON resolutions (space, entity_type, time_ms, number);
