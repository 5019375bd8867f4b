-- Devices and how far each has got. Clients choose device ids, so an id means something only
-- together with its user.

CREATE TABLE devices (
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  client_name text NOT NULL,
  client_version text NOT NULL,
  platform text NOT NULL,
  network smallint NOT NULL,
  battery_percent smallint NOT NULL,
  charging boolean NOT NULL,
  budget_bytes_per_s bigint NOT NULL,
  registered_ms bigint NOT NULL,
  last_seen_ms bigint NOT NULL,
  signed_off boolean NOT NULL,
  PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 80);
CREATE INDEX devices_by_user ON devices (user_id, last_seen_ms DESC, device_id);

CREATE TABLE cursors (
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  space text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (user_id, device_id, space)
) WITH (fillfactor = 80);
