-- +goose Up
-- What a company sets up: groups, queues, trunks and their like, one row each (package object).
CREATE TABLE objects (
    domain  TEXT   NOT NULL REFERENCES domains (domain),
    kind    TEXT   NOT NULL, -- "group", "queue", …
    name    TEXT   NOT NULL, -- its number or name; empty where a domain has just one
    value   TEXT   NOT NULL, -- JSON
    version BIGINT NOT NULL, -- counts its changes from 1
    changed BIGINT NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (domain, kind, name)
);

-- What a note is about: an object of this kind called sip_user, or, where it is empty, a user.
ALTER TABLE changes ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE changes DROP COLUMN kind;
DROP TABLE objects;
