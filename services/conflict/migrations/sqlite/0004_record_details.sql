-- What records tell beside the decision itself: for analysis, and for taking one back.
ALTER TABLE resolutions ADD COLUMN app_version TEXT NOT NULL DEFAULT '';
ALTER TABLE resolutions ADD COLUMN rule_set_version INTEGER NOT NULL DEFAULT 0;
-- The conflict that it closed; empty: nobody was asked.
ALTER TABLE resolutions ADD COLUMN conflict_id TEXT NOT NULL DEFAULT '';
-- The version that undid it, and who asked for that; empty: it stands.
ALTER TABLE resolutions ADD COLUMN undone_by_version_id TEXT NOT NULL DEFAULT '';
ALTER TABLE resolutions ADD COLUMN undone_by TEXT NOT NULL DEFAULT '';
-- Places decided without asking anybody.
ALTER TABLE resolutions ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0;
-- JSON, for counting: [[place, rule, how many of them without asking] …], elements of lists as one.
ALTER TABLE resolutions ADD COLUMN places TEXT NOT NULL DEFAULT '[]';
CREATE INDEX resolutions_by_space_time ON resolutions (space, time_ms);
CREATE INDEX resolutions_by_time ON resolutions (time_ms);
