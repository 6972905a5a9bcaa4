-- +goose Up
CREATE INDEX objects_by_name ON objects (domain, name);

-- +goose Down
DROP INDEX objects_by_name;
