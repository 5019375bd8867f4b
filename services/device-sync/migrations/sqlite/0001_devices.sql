-- Devices and how far each has got. Clients choose device ids, so an id means something only
-- together with its user.

CREATE TABLE devices (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
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
  PRIMARY KEY (user_id, device_id)
) WITHOUT ROWID;
CREATE INDEX devices_by_user ON devices (user_id, last_seen_ms DESC, device_id);

CREATE TABLE cursors (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  space TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (user_id, device_id, space)
) WITHOUT ROWID;
