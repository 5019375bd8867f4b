-- The rules of entity types, in versions; at most one of a type holds.
CREATE TABLE rule_sets (
  entity_type text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  rules bytea NOT NULL,
  author text NOT NULL,
  time_ms bigint NOT NULL,
  active boolean NOT NULL,
  -- Who went back to the defaults when this one held; empty: nobody.
  removed_by text NOT NULL DEFAULT '',
  PRIMARY KEY (entity_type, version)
);
CREATE UNIQUE INDEX rule_sets_that_hold ON rule_sets (entity_type) WHERE active;
-- One row, which writers lock: how often it has changed which rule sets hold.
CREATE TABLE rule_set_changes (
  id integer PRIMARY KEY CHECK (id = 1),
  revision bigint NOT NULL
);
INSERT INTO rule_set_changes (id, revision) VALUES (1, 0);
