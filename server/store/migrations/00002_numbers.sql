-- +goose Up
CREATE TABLE numbers (
    domain  TEXT   NOT NULL,
    number  TEXT   NOT NULL, -- "+" and digits
    account TEXT   NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (domain, number),
    FOREIGN KEY (domain, account) REFERENCES accounts (domain, sip_user) ON DELETE CASCADE
);

CREATE INDEX numbers_of_account ON numbers (domain, account);

-- +goose Down
DROP TABLE numbers;
