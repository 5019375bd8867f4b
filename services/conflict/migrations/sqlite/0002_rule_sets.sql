-- The rules of entity types, in versions; at most one of a type holds.
CREATE TABLE rule_sets (
  entity_type TEXT NOT NULL,
  version INTEGER NOT NULL,
  rules BLOB NOT NULL,
  author TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  active INTEGER NOT NULL,
  -- Who went back to the defaults when this one held; empty: nobody.
  removed_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (entity_type, version)
) STRICT;
CREATE UNIQUE INDEX rule_sets_that_hold ON rule_sets (entity_type) WHERE active = 1;
-- One row: how often it has changed which rule sets hold.
CREATE TABLE rule_set_changes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO rule_set_changes (id, revision) VALUES (1, 0);
