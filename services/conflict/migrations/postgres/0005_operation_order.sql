-- The op_id before the space: ids that begin with the time then lie at the end of the index, in
-- pages that are in memory, whatever space they belong to.
CREATE UNIQUE INDEX resolutions_by_operation ON resolutions (op_id, space);
DROP INDEX resolutions_of_operation;
ALTER INDEX resolutions_by_operation RENAME TO resolutions_of_operation;
