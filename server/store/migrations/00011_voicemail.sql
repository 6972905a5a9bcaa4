-- +goose Up
-- What was left in mailboxes. The recordings lie beside the database, in the folder voicemail.
CREATE TABLE voicemails (
    id          TEXT   NOT NULL PRIMARY KEY,
    domain      TEXT   NOT NULL REFERENCES domains (domain),
    account     TEXT   NOT NULL,
    state       TEXT   NOT NULL, -- recording, new, saved
    caller      TEXT   NOT NULL, -- as one would dial it; empty for somebody anonymous
    caller_name TEXT   NOT NULL,
    forwarded   TEXT   NOT NULL, -- the account that has sent it on
    received    BIGINT NOT NULL, -- milliseconds since 1970
    length      BIGINT NOT NULL  -- milliseconds
);
CREATE INDEX voicemails_box ON voicemails (domain, account, received);

-- +goose Down
DROP TABLE voicemails;
