-- The op_id before the space: ids that begin with the time then lie at the end of the index, in
-- pages that are in memory, whatever space they belong to.
DROP INDEX resolutions_of_operation;
CREATE UNIQUE INDEX resolutions_of_operation ON resolutions (op_id, space);
