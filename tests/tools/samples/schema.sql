-- People.
CREATE TABLE IF NOT EXISTS people (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  CONSTRAINT named UNIQUE (name)
);

INSERT INTO people VALUES (1, 'a;b');
INSERT INTO people VALUES (2, 'c');

/* Counts. */
CREATE OR REPLACE FUNCTION total() RETURNS int AS $$
  SELECT count(*) FROM people;
$$ LANGUAGE sql;

CREATE INDEX by_name ON people (name);
SELECT * FROM people
