-- +goose Up
CREATE TABLE rooms (
    domain             TEXT   NOT NULL REFERENCES domains (domain),
    sip_user           TEXT   NOT NULL, -- the number, or the user part of the URI
    title              TEXT   NOT NULL,
    pin                TEXT   NOT NULL, -- hashes; empty for none
    moderator_pin      TEXT   NOT NULL,
    owners             TEXT   NOT NULL, -- accounts, with commas between
    max_members        BIGINT NOT NULL, -- 0: as many as the server lets
    wait_for_moderator BIGINT NOT NULL, -- 0 or 1, here and below
    mute_on_entry      BIGINT NOT NULL,
    quiet              BIGINT NOT NULL,
    record             BIGINT NOT NULL,
    factory            BIGINT NOT NULL,
    created            BIGINT NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (domain, sip_user)
);

-- +goose Down
DROP TABLE rooms;
