-- Devices that were revoked, how often each has registered, and what each says it has purged.

ALTER TABLE devices ADD COLUMN revoked_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN registrations bigint NOT NULL DEFAULT 0;

-- An empty space stands for everything that the device had.
CREATE TABLE purges (
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  space text COLLATE "C" NOT NULL,
  purged_ms bigint NOT NULL,
  PRIMARY KEY (user_id, device_id, space)
);
