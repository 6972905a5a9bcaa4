-- +goose Up
CREATE TABLE domains (
    domain  TEXT   NOT NULL PRIMARY KEY,
    realm   TEXT   NOT NULL, -- fixed: every HA1 of the domain was made with it
    created BIGINT NOT NULL  -- milliseconds since 1970
);

CREATE TABLE accounts (
    domain   TEXT   NOT NULL REFERENCES domains (domain),
    sip_user TEXT   NOT NULL, -- the user part of the address of record
    name     TEXT   NOT NULL, -- shown to the called party
    created  BIGINT NOT NULL,
    PRIMARY KEY (domain, sip_user)
);

CREATE TABLE devices (
    domain         TEXT   NOT NULL,
    sip_user       TEXT   NOT NULL, -- the user name of its digest credentials
    account        TEXT   NOT NULL,
    created        BIGINT NOT NULL,
    ha1_md5        BYTEA  NOT NULL,
    ha1_sha256     BYTEA  NOT NULL,
    ha1_sha512_256 BYTEA  NOT NULL,
    PRIMARY KEY (domain, sip_user),
    FOREIGN KEY (domain, account) REFERENCES accounts (domain, sip_user) ON DELETE CASCADE
);

CREATE INDEX devices_of_account ON devices (domain, account);

-- What a running server has to read again: one user, or everything where sip_user is empty.
CREATE TABLE changes (
    seq      BIGINT NOT NULL PRIMARY KEY,
    domain   TEXT   NOT NULL,
    sip_user TEXT   NOT NULL
);

-- +goose Down
DROP TABLE changes;
DROP TABLE devices;
DROP TABLE accounts;
DROP TABLE domains;
