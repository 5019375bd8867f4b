-- Records are listed in order of time, those of one time in order of number, which every index has at
-- its end: the index by time then also serves the list of a space.
DROP INDEX resolutions_of_space;
DROP INDEX resolutions_of_entity;
DROP INDEX resolutions_of_type;
CREATE INDEX resolutions_of_entity ON resolutions (space, entity_type, entity_id, time_ms);
CREATE INDEX resolutions_of_type ON resolutions (space, entity_type, time_ms);
