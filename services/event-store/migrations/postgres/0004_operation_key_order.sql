-- Ids that begin with the time (UUID version 7), as clients are asked to use, come in order: with the
-- key before the space they lie at the end of the index, whose pages are few and warm.

ALTER TABLE operation_keys
  DROP CONSTRAINT operation_keys_pkey,
  ADD CONSTRAINT operation_keys_pkey PRIMARY KEY (op_key, space_id, log_id);
