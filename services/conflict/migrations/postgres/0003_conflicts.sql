-- Changes that wait, or waited, for a decision: what the log holds, so that people can search it.
CREATE TABLE conflicts (
  conflict_id text COLLATE "C" PRIMARY KEY,
  space text COLLATE "C" NOT NULL,
  entity_type text COLLATE "C" NOT NULL,
  entity_id text COLLATE "C" NOT NULL,
  -- conflict.v1.ConflictState: below 4 it is open.
  state smallint NOT NULL,
  -- Empty: nobody's in particular.
  assigned_to text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  app_version text COLLATE "C" NOT NULL,
  opened_ms bigint NOT NULL,
  deadline_ms bigint NOT NULL,
  -- 0: it is open.
  closed_ms bigint NOT NULL,
  -- When it was last compared with the log; while opening, when it was written.
  verified_ms bigint NOT NULL,
  -- JSON, for counting: [[place, rule, 1] …], elements of lists as one place.
  places text COLLATE "C" NOT NULL,
  -- A conflict.v1.Conflict; state and assigned_to stand in their columns.
  data bytea NOT NULL,
  -- A conflict.v1.DecideItem that holds only the choices kept so far.
  choices bytea NOT NULL
);
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
