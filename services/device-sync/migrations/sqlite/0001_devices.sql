-- Devices and how far each has got. A removed device keeps its row, since its id belongs to its
-- user for ever; its description and positions are gone.

CREATE TABLE devices (
  device_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  client_name TEXT NOT NULL,
  client_version TEXT NOT NULL,
  platform TEXT NOT NULL,
  network INTEGER NOT NULL,
  battery_percent INTEGER NOT NULL,
  charging INTEGER NOT NULL,
  budget_bytes_per_s INTEGER NOT NULL,
  registered_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  signed_off INTEGER NOT NULL,
  removed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX devices_by_user ON devices (user_id, last_seen_ms DESC, device_id) WHERE NOT removed;

CREATE TABLE cursors (
  device_id TEXT NOT NULL,
  space TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (device_id, space)
) WITHOUT ROWID;
