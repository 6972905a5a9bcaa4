-- +goose Up
INSERT INTO objects (domain, kind, name, value, version, changed)
SELECT domain, 'room', sip_user,
    '{"number":"' || sip_user || '","title":"' || replace(replace(title, '\', '\\'), '"', '\"') || '","pin":"' || pin || '","moderator-pin":"' || moderator_pin || '","owners":'
    || CASE owners WHEN '' THEN 'null' ELSE '["' || replace(owners, ',', '","') || '"]' END || ',"max":' || max_members
    || ',"wait-for-moderator":' || CASE wait_for_moderator WHEN 0 THEN 'false' ELSE 'true' END || ',"mute-on-entry":' || CASE mute_on_entry WHEN 0 THEN 'false' ELSE 'true' END
    || ',"quiet":' || CASE quiet WHEN 0 THEN 'false' ELSE 'true' END || ',"record":' || CASE record WHEN 0 THEN 'false' ELSE 'true' END
    || ',"factory":' || CASE factory WHEN 0 THEN 'false' ELSE 'true' END || '}',
    1, created
FROM rooms;
DROP TABLE rooms;

-- +goose Down
CREATE TABLE rooms (
    domain             TEXT   NOT NULL REFERENCES domains (domain),
    sip_user           TEXT   NOT NULL,
    title              TEXT   NOT NULL,
    pin                TEXT   NOT NULL,
    moderator_pin      TEXT   NOT NULL,
    owners             TEXT   NOT NULL,
    max_members        BIGINT NOT NULL,
    wait_for_moderator BIGINT NOT NULL,
    mute_on_entry      BIGINT NOT NULL,
    quiet              BIGINT NOT NULL,
    record             BIGINT NOT NULL,
    factory            BIGINT NOT NULL,
    created            BIGINT NOT NULL,
    PRIMARY KEY (domain, sip_user)
);
DELETE FROM objects WHERE kind = 'room';
