-- Changes that wait, or waited, for a decision: what the log holds, so that people can search it.
CREATE TABLE conflicts (
  conflict_id TEXT NOT NULL PRIMARY KEY,
  space TEXT NOT NULL,
  entity_type TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  -- conflict.v1.ConflictState: below 4 it is open.
  state INTEGER NOT NULL,
  -- Empty: nobody's in particular.
  assigned_to TEXT NOT NULL,
  device_id TEXT NOT NULL,
  app_version TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,
  -- 0: it is open.
  closed_ms INTEGER NOT NULL,
  -- When it was last compared with the log; while opening, when it was written.
  verified_ms INTEGER NOT NULL,
  -- JSON, for counting: [[place, rule, 1] …], elements of lists as one place.
  places TEXT NOT NULL,
  -- A conflict.v1.Conflict; state and assigned_to stand in their columns.
  data BLOB NOT NULL,
  -- A conflict.v1.DecideItem that holds only the choices kept so far.
  choices BLOB NOT NULL
) STRICT;
CREATE INDEX conflicts_of_space ON conflicts (space, state, opened_ms, conflict_id);
CREATE INDEX conflicts_of_type ON conflicts (space, entity_type, state, opened_ms, conflict_id);
CREATE INDEX conflicts_of_entity
  ON conflicts (space, entity_type, entity_id, state, opened_ms, conflict_id);
CREATE INDEX conflicts_of_assignee ON conflicts (space, assigned_to, state, opened_ms, conflict_id)
  WHERE assigned_to <> '';
CREATE INDEX conflicts_by_deadline ON conflicts (deadline_ms) WHERE state IN (2, 3);
CREATE INDEX conflicts_by_check ON conflicts (state, verified_ms, opened_ms) WHERE state IN (1, 2, 3);
CREATE INDEX conflicts_by_opening ON conflicts (space, opened_ms);
CREATE INDEX conflicts_by_time ON conflicts (opened_ms);
