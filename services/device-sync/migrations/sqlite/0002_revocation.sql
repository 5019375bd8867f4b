-- Devices that were revoked, how often each has registered, and what each says it has purged.

ALTER TABLE devices ADD COLUMN revoked_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN registrations INTEGER NOT NULL DEFAULT 0;

-- An empty space stands for everything that the device had.
CREATE TABLE purges (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  space TEXT NOT NULL,
  purged_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, device_id, space)
) WITHOUT ROWID;
