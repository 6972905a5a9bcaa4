-- +goose Up
CREATE TABLE cdrs (
    id       TEXT   NOT NULL PRIMARY KEY, -- sorts by the start of the calls
    domain   TEXT   NOT NULL,
    start    BIGINT NOT NULL, -- milliseconds since 1970
    accounts TEXT   NOT NULL, -- all that took part, a blank before and behind each
    detail   TEXT   NOT NULL  -- the record as JSON
);

-- Both answer "the calls of that time" and "of these, those of an account" from the index alone.
CREATE INDEX cdrs_by_time ON cdrs (start, domain, accounts);

-- +goose Down
DROP TABLE cdrs;
