-- Deleted rows leave room that new ones take, so the table goes round, and a range index over time
-- keeps the oldest time that each of its ranges ever had: after two windows every range was searched
-- in every sweep. The sweep goes through the table by place now, a part at a time.

DROP INDEX operation_keys_by_time;
